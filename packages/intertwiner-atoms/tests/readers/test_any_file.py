"""What a file is, is what stands in it."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from intertwiner.errors import DataError
from intertwiner_atoms.config import ReadConfig
from intertwiner_atoms.readers.any_file import read_structures, suffix_of
from intertwiner_atoms.readers.sniff import format_of

Write = Callable[[str, str], Path]
PDB = "ATOM      1  N   ALA A   1      -1.058   1.426 -20.149  1.00 10.00           N\n"
PDBQT = "ATOM      1  N   ALA A   1      -1.058   1.426 -20.149  1.00 10.00     0.123 NA\n"
SDF = (
    "lig\n                    3D\n\n  1  0  0  0  0  0  0  0  0  0999 V2000\n"
    "    0.0000    0.0000    0.0000 C   0  0\nM  END\n$$$$\n"
)
MOL2 = (
    "@<TRIPOS>MOLECULE\nlig\n 1 0 0 0 0\nSMALL\nNO_CHARGES\n\n@<TRIPOS>ATOM\n"
    " 1 C1 0.0 0.0 0.0 C.1 1 LIG 0.0\n"
)
NAMES = ("group_PDB", "id", "type_symbol", "label_atom_id", "label_alt_id", "label_comp_id")
PLACES = ("label_asym_id", "label_seq_id", "Cartn_x", "Cartn_y", "Cartn_z", "occupancy")
CIF = (
    "data_x\n#\nloop_\n"
    + "".join(f"_atom_site.{name}\n" for name in (*NAMES, *PLACES, "auth_seq_id", "auth_asym_id"))
    + "ATOM 1 C CA . ALA A 1 0.0 1.0 2.0 1.0 1 A\n"
)
TEXTS = {"pdb": PDB, "pdbqt": PDBQT, "sdf": SDF, "mol2": MOL2, "mmcif": CIF}


@pytest.mark.parametrize("kind", TEXTS)
def test_each_format_is_known_by_its_content(kind: str) -> None:
    assert format_of(TEXTS[kind].encode()) == kind


@pytest.mark.parametrize("text", ["2\n\nC 0 0 0\nO 1 0 0\n", "CCO ethanol\n", "Dear colleague,\n"])
def test_other_texts_are_not_taken_for_one(text: str) -> None:
    assert format_of(text.encode()) is None


@pytest.mark.fault("F21")
@pytest.mark.parametrize("kind", TEXTS)
@pytest.mark.parametrize("suffix", [".pdb", ".sdf", ".cif", ".pdbqt", ".mol2", ".dat", ""])
def test_a_wrong_suffix_is_reported_and_the_content_read(
    write: Write, kind: str, suffix: str
) -> None:
    (record,), report = read_structures(write(f"file{suffix}", TEXTS[kind]))
    assert len(record.z) == 1
    right = {"pdb": ".pdb", "pdbqt": ".pdbqt", "sdf": ".sdf", "mol2": ".mol2", "mmcif": ".cif"}
    expected = {} if right[kind] == suffix else {f"looks like {kind}, read as {kind}": 1}
    assert report.counts == expected


@pytest.mark.fault("F21")
def test_a_file_of_unknown_content_and_suffix_is_refused(write: Write) -> None:
    with pytest.raises(DataError, match=r"x.dat: no reader for \.dat; there are readers for"):
        read_structures(write("x.dat", "one two three\n"))


@pytest.mark.parametrize("kind", TEXTS)
def test_packed_files_are_read_as_what_is_in_them(tmp_path: Path, write: Write, kind: str) -> None:
    suffix = {"mmcif": ".cif"}.get(kind, f".{kind}")
    packed = tmp_path / f"a{suffix}.gz"
    packed.write_bytes(gzip.compress(TEXTS[kind].encode()))
    (plain,), _ = read_structures(write(f"b{suffix}", TEXTS[kind]))
    (record,), report = read_structures(packed)
    assert torch.equal(record.pos, plain.pos)
    assert not report.counts
    assert suffix_of(packed) == suffix


@pytest.mark.fault("F21")
@pytest.mark.parametrize("kind", ["pdb", "sdf"])
def test_a_packed_file_that_unpacks_to_too_much_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"bomb.{kind}.gz"
    path.write_bytes(gzip.compress(TEXTS[kind].encode() + b"REMARK\n" * 200_000))
    with pytest.raises(DataError, match=r"bomb.*unpacks to more bytes.*100,000"):
        read_structures(path, ReadConfig(max_bytes=100_000))


@pytest.mark.fault("F21")
def test_a_packed_file_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cut.pdb.gz"
    path.write_bytes(gzip.compress(PDB.encode() * 500)[:-30])
    with pytest.raises(DataError, match=r"cut.pdb.gz: compressed, and cannot be unpacked"):
        read_structures(path)
