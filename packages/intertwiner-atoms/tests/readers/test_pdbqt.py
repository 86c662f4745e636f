"""PDBQT: elements from AutoDock's types, poses as models, and what docking adds left out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from intertwiner.errors import DataError
from intertwiner_atoms.config import ReadConfig
from intertwiner_atoms.readers.pdbqt import PdbqtReader, element_of_type

Write = Callable[[str, str], Path]


def atom(
    serial: int,
    kind: str,
    *,
    name: str = "C1",
    residue: str = "LIG",
    xyz: tuple[float, float, float] | None = None,
    record: str = "ATOM",
) -> str:
    x, y, z = xyz or (float(serial), 0.0, 0.5)
    return (
        f"{record:<6}{serial:>5}  {name:<3} {residue:>3} A   1    "
        f"{x:8.3f}{y:8.3f}{z:8.3f}  1.00  0.00    {0.123:+6.3f} {kind:<2}\n"
    )


TREE = "REMARK  Name = lig\nROOT\n{0}ENDROOT\nBRANCH   1   2\n{1}ENDBRANCH   1   2\nTORSDOF 1\n"
POSE = TREE.format(atom(1, "A"), atom(2, "OA"))


@pytest.mark.parametrize(
    ("kind", "z"),
    [
        *(("C", 6), ("A", 6), ("CG0", 6), ("CG", 6), ("N", 7), ("NA", 7), ("NS", 7), ("OA", 8)),
        *(("OS", 8), ("O", 8), ("S", 16), ("SA", 16), ("H", 1), ("HD", 1), ("HS", 1), ("P", 15)),
        *(("Cl", 17), ("CL", 17), ("Br", 35), ("BR", 35), ("I", 53), ("F", 9), ("Zn", 30)),
        *(("ZN", 30), ("CA", 20), ("Ca", 20), ("Mg", 12), ("MN", 25), ("FE", 26), ("Na", 11)),
        *(("Si", 14), ("B", 5), ("G0", 0), ("G", 0), ("W", 0), ("TZ", 0), ("Xy", None)),
    ],
)
def test_autodock_types_are_elements(kind: str, z: int | None) -> None:
    assert element_of_type(kind) == z


def test_the_type_na_is_nitrogen_but_in_an_ion_called_na() -> None:
    assert element_of_type("NA", "NB", "LIG") == 7
    assert element_of_type("NA", "NA", "NA") == 11


def test_a_ligand_with_branches_is_one_record(write: Write) -> None:
    (record,) = PdbqtReader()(write("lig.pdbqt", POSE))
    assert record.z.tolist() == [6, 8]
    assert record.pos.tolist() == [[1.0, 0.0, 0.5], [2.0, 0.0, 0.5]]
    assert record.name == "lig"


def test_poses_are_models(write: Write) -> None:
    text = "".join(f"MODEL {n}\nREMARK VINA RESULT: -8.{n} 0 0\n{POSE}ENDMDL\n" for n in (1, 2, 3))
    path = write("docked.pdbqt", text)
    _, report = PdbqtReader().read(path)
    assert report.counts == {"models dropped": 2}
    records = PdbqtReader(ReadConfig(models="all"))(path)
    assert [record.name for record in records] == [f"docked model {n}" for n in (1, 2, 3)]


@pytest.mark.fault("F23")
def test_pseudo_atoms_are_dropped_and_counted(write: Write) -> None:
    text = atom(1, "CG0") + atom(2, "G0") + atom(3, "W", residue="WAT")
    (record,), report = PdbqtReader().read(write("ring.pdbqt", text))
    assert record.z.tolist() == [6]
    assert report.counts == {"pseudo-atoms of docking dropped": 2}


@pytest.mark.fault("F23")
def test_flexible_side_chains_beside_a_ligand_are_the_receptors(write: Write) -> None:
    side_chain = "BEGIN_RES TYR A 9\n" + TREE.format(atom(3, "C"), atom(4, "OA")) + "END_RES\n"
    (record,), report = PdbqtReader().read(write("flex.pdbqt", POSE + side_chain))
    assert record.pos[:, 0].tolist() == [1, 2]
    assert report.counts == {"atoms of flexible residues dropped": 2}
    (record,), report = PdbqtReader().read(write("only.pdbqt", side_chain))
    assert len(record.z) == 2


@pytest.mark.fault("F23")
def test_occupancies_are_not_believed(write: Write) -> None:
    path = write("zero.pdbqt", atom(1, "C").replace("  1.00", "  0.00"))
    (record,) = PdbqtReader(ReadConfig(zero_occupancy="drop"))(path)
    assert len(record.z) == 1


@pytest.mark.fault("F20")
@pytest.mark.parametrize(
    ("text", "words"),
    [
        (atom(1, "C").replace("   1.000", "********"), r"line 1, atom 1 C1: x='\*{8}'"),
        (atom(1, "C").replace("   1.000", "     nan"), "x='     nan' is not finite"),
        (atom(1, "C")[:45] + "\n", "line 1.*the line ends at column 45"),
        (atom(1, "C")[:70] + "\n", "no AutoDock type in columns 78-79"),
        (atom(1, "C") + atom(2, "Xy"), "line 2, atom C1 of LIG: unknown AutoDock type 'Xy'"),
        (
            POSE.replace("ENDBRANCH   1   2\n", ""),
            "1 BRANCH and 0 ENDBRANCH lines: the file is cut",
        ),
        ("ROOT\n" + atom(1, "C"), "1 ROOT and 0 ENDROOT"),
        ("MODEL 1\n" + POSE, "1 MODEL and 0 ENDMDL"),
        ("REMARK nothing\nROOT\nENDROOT\n", "no ATOM or HETATM line"),
        (atom(1, "G") + atom(2, "W"), "no atoms are left: pseudo-atoms of docking dropped: 2"),
    ],
)
def test_what_cannot_be_is_named_with_line_and_atom(write: Write, text: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        PdbqtReader()(write("bad.pdbqt", text))


@pytest.mark.fault("F22")
def test_two_atoms_in_one_place_are_named(write: Write) -> None:
    text = atom(1, "C", name="C1", xyz=(1, 1, 1)) + atom(2, "OA", name="O2", xyz=(1, 1, 1))
    with pytest.raises(DataError, match=r"LIG 1/C1 \(serial 1\) and atom A/LIG 1/O2"):
        PdbqtReader()(write("twice.pdbqt", text))


def test_receptors_without_chains_and_numbers_are_read(write: Write) -> None:
    lines = [atom(1, "N", residue="GLY"), atom(2, "HD", name="H", residue="GLY")]
    text = "".join(line[:21] + "      " + line[27:] for line in lines)
    (record,), _ = PdbqtReader(ReadConfig(hydrogens="drop")).read(write("r.pdbqt", text))
    assert record.z.tolist() == [7]
