from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from intertwiner.errors import DataError
from intertwiner_atoms.config import SmilesConfig
from intertwiner_atoms.readers.smiles import SmilesReader

Write = Callable[[str, str], Path]


def test_a_line_is_a_molecule_and_its_name(write: Write) -> None:
    path = write("a.smi", "CCO ethyl alcohol\n# comment\nc1ccccc1\tbenzene\nC\n\n")
    records = SmilesReader()(path)
    assert [record.name for record in records] == ["ethyl alcohol", "benzene", "a 4"]
    assert [record.smiles for record in records] == ["CCO", "c1ccccc1", "C"]
    assert records[1].bond_order.tolist() == [1.5] * 12


@pytest.mark.fault("F26")
@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("C1CC", "line 2: invalid SMILES 'C1CC'"),
        ("  ", "line 2: empty SMILES"),
        ("C(C)(C)(C)(C)C", "line 2: .*valence"),
        ("c1cccc1", "line 2: .*kekulize"),
        ("hello", "line 2: invalid"),
    ],
)
def test_a_row_that_is_no_molecule_stops_with_its_line_or_is_skipped_and_counted(
    write: Write, row: str, words: str
) -> None:
    path = write("bad.smi", f"CC\n{row}\nCCC\n")
    with pytest.raises(DataError, match=words):
        SmilesReader()(path)
    records, report = SmilesReader(SmilesConfig(invalid="skip")).read(path)
    assert [record.smiles for record in records] == ["CC", "CCC"]
    assert report.counts == {"invalid or empty rows skipped": 1}


@pytest.mark.fault("F26")
def test_salts_and_duplicates_are_counted(write: Write) -> None:
    path = write("salt.smi", "CCO\nOCC\n[Na+].[Cl-]\n")
    records, report = SmilesReader().read(path)
    assert report.counts == {"salts kept": 1, "duplicates kept": 1}
    assert records[2].formal_charge.tolist() == [1, -1]
    records, report = SmilesReader(SmilesConfig(duplicates="skip")).read(path)
    assert len(records) == 2
    assert report.counts["duplicates skipped"] == 1


@pytest.mark.fault("F26")
def test_a_file_without_any_molecule_is_an_error(write: Write) -> None:
    with pytest.raises(DataError, match="no molecule could be read"):
        SmilesReader(SmilesConfig(invalid="skip"))(write("none.smi", "x\ny\n"))
