"""Units of affinities, and index files of PDBbind."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch_geometric.data import Data

from intertwiner_atomic_conv.affinity import KCAL_PER_PK, UNITS, from_pk, to_pk
from intertwiner_atomic_conv.datasets.pdbbind import join
from intertwiner_atomic_conv.datasets.pdbbind_index import parse_lines
from intertwiner_atomic_conv.errors import InvalidInput

LINES = [
    "# PDB code, resolution, release year, -logKd/Ki, Kd/Ki, reference, ligand name",
    "2tpi  2.10  1982   4.31  Kd=49uM       // 2tpi.pdf (2-mer) (name with blanks)",
    "5tln  2.30  1982   6.37  Ki=0.43uM     // 5tln.pdf (BAN)",
    "1abc  NMR   1999  Ki<=10nM  // no column of pK",
    "9xyz  2.00  2001   9.99  Ki=400nM      // wrong column (LIG)",
    "bad line here",
    "3fed  2.00  2003   5.00  Kd=0nM  // zero (LIG)",
    "4odd  2.00  2004  16.00  Kd=0.1fM  // tighter than anything (LIG)",
]


@given(pk=st.floats(-1.0, 14.0), unit=st.sampled_from(UNITS))
def test_units_go_there_and_back(pk: float, unit: str) -> None:
    assert to_pk(from_pk(pk, unit), unit) == pytest.approx(pk, abs=1e-9)


def test_one_value_in_three_units_is_one_affinity() -> None:
    assert to_pk(5.0, "nM") == pytest.approx(to_pk(5000.0, "pM"))
    assert to_pk(5.0, "nM") == pytest.approx(9 - math.log10(5))


def test_the_legacy_factor_lacks_the_logarithm_of_ten() -> None:
    assert 2.479 / 4.184 * math.log(10) == pytest.approx(KCAL_PER_PK, abs=1e-3)


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (1.0, "nm", "unit required: one of pK, kcal/mol, kJ/mol, M, mM, uM, nM, pM, fM"),
        (0.0, "nM", "0nM of 1abc: must be positive"),
        (107.0, "pK", "pK 107 of 1abc: wrong unit?"),
        (math.nan, "pK", "not finite"),
    ],
)
def test_affinities_that_cannot_be_are_refused(value: float, unit: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said.replace("?", r"\?")):
        to_pk(value, unit, "1abc")


def test_index_lines_with_blanks_in_names_survive() -> None:
    index = parse_lines(LINES)
    assert set(index.entries) == {"2tpi", "5tln", "1abc", "9xyz", "4odd"}
    assert index.entries["2tpi"].pk == pytest.approx(4.31, abs=0.01)
    assert index.entries["1abc"].relation == "<="
    assert index.counts["lines not read"] == 2
    assert any("line 5: pK 9.99 written, 6.40" in note for note in index.notes)
    assert any("line 8: pK 16 of 4odd: wrong unit?" in note for note in index.notes)
    assert any("line 6" in note for note in index.notes)
    assert any("Kd=0nM of 3fed" in note and "must be positive" in note for note in index.notes)


def test_what_cannot_be_joined_has_a_reason() -> None:
    def record(code: str) -> Data:
        return Data(pos=torch.zeros(1, 3), z=torch.tensor([6]), part=torch.tensor([1]), name=code)

    records = [record("2tpi"), record("1abc"), record("7zzz")]
    kept, entries, missing = join(records, parse_lines(LINES))
    assert [r.name for r in kept] == ["2tpi"] == [e.code for e in entries]
    assert missing["1abc"] == "the label is a bound (<=)"
    assert missing["5tln"] == "no folder that can be read"
    assert missing["7zzz"] == "not in the index"
    assert len(join(records, parse_lines(LINES), censored="keep")[0]) == 2
