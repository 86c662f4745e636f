"""Whatever happens to a file, a reader gives finite atoms or one line that says what is wrong."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch_geometric.data import Data

from intertwiner.errors import DataError
from intertwiner_atoms.readers.any_file import read_structures

XYZ = '2\nLattice="9 0 0 0 9 0 0 0 9" Properties=species:S:1:pos:R:3\nC 0.0 0.1 0.2\nO 1.1 0 0\n'
PDB = (
    "ATOM      1  N  AALA A   1      -1.058   1.426 -20.149  0.50 10.00           N\n"
    "ATOM      2  N  BALA A   1      -1.158   1.526 -20.249  0.50 10.00           N\n"
    "HETATM    3 ZN    ZN A   2       2.058   1.426 -20.149  1.00 10.00          ZN\n"
    "END\n"
)
COLUMNS = (
    *("id", "type_symbol", "label_atom_id", "label_alt_id", "label_comp_id", "label_asym_id"),
    *("label_seq_id", "Cartn_x", "Cartn_y", "Cartn_z", "occupancy", "B_iso_or_equiv"),
    *("auth_seq_id", "auth_asym_id"),
)
CIF = (
    "data_x\nloop_\n" + "".join(f"_atom_site.{name}\n" for name in COLUMNS) + "\n"
    "1 C CA . ALA A 1 0.0 1.0 2.0 1.0 9.0 1 A\n2 N N . ALA A 1 1.5 1.0 2.0 1.0 9.0 1 A\n"
)
SDF = (
    "lig\n" + " " * 20 + "3D\n\n  2  1  0  0  0  0  0  0  0  0999 V2000\n"
    "    0.0000    0.0000    0.0000 C   0  0\n    1.1000    0.0000    0.5000 O   0  0\n"
    "  1  2  3\nM  END\n$$$$\n"
)
MOL2 = (
    "@<TRIPOS>MOLECULE\nlig\n 2 1 0 0 0\nSMALL\nNO_CHARGES\n\n@<TRIPOS>ATOM\n"
    " 1 C1 0.0 0.0 0.0 C.1 1 LIG 0.0\n 2 O1 1.1 0.0 0.0 O.2 1 LIG 0.0\n"
    "@<TRIPOS>BOND\n 1 1 2 3\n"
)
PDBQT = (
    "MODEL 1\nREMARK VINA RESULT: -7.1 0 0\nROOT\n"
    "ATOM      1  C1  LIG A   1      -1.058   1.426 -20.149  1.00  0.00     0.123 A \n"
    "ENDROOT\nBRANCH   1   2\n"
    "ATOM      2  O2  LIG A   1      -2.058   1.426 -20.149  1.00  0.00    -0.123 OA\n"
    "ENDBRANCH   1   2\nTORSDOF 1\nENDMDL\n"
)
V3000 = (
    "lig\n" + " " * 20 + "3D\n\n  0  0  0     0  0            999 V3000\nM  V30 BEGIN CTAB\n"
    "M  V30 COUNTS 2 1 0 0 0\nM  V30 BEGIN ATOM\nM  V30 1 C 0 0 0 0\nM  V30 2 O 1.1 0 0.5 0\n"
    "M  V30 END ATOM\nM  V30 BEGIN BOND\nM  V30 1 3 1 2\nM  V30 END BOND\nM  V30 END CTAB\n"
    "M  END\n$$$$\n"
)
FILES = {".xyz": XYZ, ".pdb": PDB, ".cif": CIF, ".sdf": SDF, ".mol2": MOL2, ".pdbqt": PDBQT}
FILES |= {".mol": V3000}
PIECES = st.sampled_from(
    ["", " ", "\n", "\t", "*", "nan", "-", ".", "9", "99999999999", "Xx", '"', "$$$$\n", "é", ":"]
)
EDITS = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 12), PIECES), min_size=1, max_size=4)


def damaged(text: str, edits: list[tuple[float, int, str]]) -> str:
    """`text` with a piece put in place of some characters, several times."""
    for where, length, piece in edits:
        start = int(where * len(text))
        text = text[:start] + piece + text[start + length :]
    return text


@pytest.mark.fault("F20")
@pytest.mark.parametrize("suffix", FILES)
def test_the_undamaged_file_is_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_text(FILES[suffix])
    records, _ = read_structures(path)
    assert [len(record.z) for record in records] == [2]


@pytest.mark.fault("F20")
@pytest.mark.parametrize("suffix", FILES)
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(edits=EDITS)
def test_a_damaged_file_gives_finite_atoms_or_one_clear_line(
    tmp_path: Path, suffix: str, edits: list[tuple[float, int, str]]
) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_text(damaged(FILES[suffix], edits), encoding="utf-8")
    check(path)


@pytest.mark.fault("F21")
@pytest.mark.parametrize("suffix", FILES)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    noise=st.binary(max_size=60) | st.text(max_size=40).map(str.encode),
    where=st.floats(0, 1),
    pack=st.booleans(),
    cut=st.integers(0, 40),
)
def test_any_bytes_at_any_place_give_finite_atoms_or_one_clear_line(
    tmp_path: Path, suffix: str, noise: bytes, where: float, pack: bool, cut: int
) -> None:
    text = FILES[suffix].encode()
    start = int(where * len(text))
    data = text[:start] + noise + text[start:]
    packed = gzip.compress(data) if pack else data
    path = tmp_path / f"a{suffix}{'.gz' if pack else ''}"
    path.write_bytes(packed[: len(packed) - cut])
    check(path)


def check(path: Path) -> None:
    """Reads, and whatever comes out must be sound: records, or an error of one line."""
    found: list[Data] = []
    try:
        records, _ = read_structures(path)
    except DataError as error:
        message = str(error)
    else:
        message, found = f"{path}: read", records
    assert str(path) in message
    assert "\n" not in message
    for record in found:
        assert torch.isfinite(record.pos).all()
        assert len(record.z) == len(record.pos) > 0
        assert int(record.z.min()) > 0
