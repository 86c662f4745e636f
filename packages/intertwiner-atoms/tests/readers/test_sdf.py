from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from rdkit import Chem

from intertwiner.errors import DataError
from intertwiner_atoms.bonds import record_from_smiles
from intertwiner_atoms.config import ReadConfig
from intertwiner_atoms.conformers import Conformer
from intertwiner_atoms.readers.sdf import SdfReader

Write = Callable[[str, str], Path]


def block(
    *atoms: tuple[str, float, float, float], bonds: tuple[str, ...] = (), title: str = "mol"
) -> str:
    """A V2000 molecule; a bond is "  1  2  1"."""
    lines = [title, " " * 20 + "3D", ""]
    lines.append(f"{len(atoms):3d}{len(bonds):3d}  0  0  0  0  0  0  0  0999 V2000")
    lines += [f"{x:10.4f}{y:10.4f}{z:10.4f} {symbol:<3} 0  0" for symbol, x, y, z in atoms]
    return "\n".join([*lines, *bonds, "M  END", ""])


CARBON_MONOXIDE = block(("C", 0, 0, 0), ("O", 1.1, 0, 0), bonds=("  1  2  3",), title="CO")


def test_every_molecule_of_the_file_is_a_record(write: Write) -> None:
    nameless = block(("He", 0, 0, 0.5), title="")
    text = CARBON_MONOXIDE + "> <pK>\n5\n\n$$$$\n" + nameless + "$$$$\n"
    first, second = SdfReader()(write("two.sdf", text))
    assert first.z.tolist() == [6, 8]
    assert first.pos[1].tolist() == pytest.approx([1.1, 0, 0])
    assert (first.name, second.name) == ("CO", "two 2")


def test_a_mol_file_without_separator_is_one_record(write: Write) -> None:
    (record,) = SdfReader()(write("co.mol", CARBON_MONOXIDE))
    assert len(record.z) == 2


def test_v3000_is_read(write: Write) -> None:
    molecule = Chem.AddHs(Chem.MolFromSmiles("CO"))
    coordinates = Conformer()(record_from_smiles("CO")).pos
    conformer = Chem.Conformer(6)
    for index, place in enumerate(coordinates.tolist()):
        conformer.SetAtomPosition(index, place)
    molecule.AddConformer(conformer)
    (record,) = SdfReader()(write("a.sdf", Chem.MolToV3KMolBlock(molecule) + "$$$$\n"))
    assert record.z.tolist() == [6, 8, 1, 1, 1, 1]


@pytest.mark.fault("F24")
def test_chemistry_that_cannot_be_is_still_read(write: Write) -> None:
    """Five-valent carbon, and an aromatic ring that cannot be kekulised."""
    star = [("C", 0, 0, 0)] + [("F", float(i), 1.0 + i, 0.3) for i in range(5)]
    bonds = tuple(f"  1{index:3d}  1" for index in range(2, 7))
    ring = [("C", float(i), i * i * 0.1, 0.2) for i in range(5)]
    aromatic = tuple(f"{i + 1:3d}{(i + 1) % 5 + 1:3d}  4" for i in range(5))
    text = block(*star, bonds=bonds) + "$$$$\n" + block(*ring, bonds=aromatic) + "$$$$\n"
    first, second = SdfReader()(write("odd.sdf", text))
    assert (len(first.z), len(second.z)) == (6, 5)


@pytest.mark.fault("F20")
@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("    1.1000", "       nan", "line 6: atom 2 has x='       nan'"),
        ("    1.1000", "**********", r"line 6: atom 2 has x='\*{10}'"),
        ("    1.1000", "   1.1000 O", "atom 2 has"),
        ("  1  2  3\n", "", "2 atoms and 1 bonds are announced, but the block ends at line 6"),
        ("  2  1  0", "  9  1  0", "9 atoms and 1 bonds are announced"),
        ("  2  1  0", "  x  1  0", "must be two counts"),
        ("V2000", "     ", "line 4 must hold the counts"),
    ],
)
def test_a_damaged_block_names_record_line_and_atom(
    write: Write, old: str, new: str, words: str
) -> None:
    path = write("bad.sdf", CARBON_MONOXIDE.replace(old, new))
    with pytest.raises(DataError, match=words) as caught:
        SdfReader()(path)
    assert "record 1 (CO)" in str(caught.value)


@pytest.mark.fault("F20")
def test_a_file_cut_within_its_atoms_is_refused(write: Write) -> None:
    with pytest.raises(DataError, match="announced"):
        SdfReader()(write("cut.sdf", "\n".join(CARBON_MONOXIDE.splitlines()[:5])))


@pytest.mark.fault("F25")
@pytest.mark.parametrize("header", ["2D", "  "])
def test_a_drawing_is_refused_unless_kept(write: Write, header: str) -> None:
    places = [(float(i % 2), float(i // 2)) for i in range(4)]
    text = block(*(("C", x, y, 0.0) for x, y in places)).replace("3D", header)
    with pytest.raises(DataError, match="drawing in the plane"):
        SdfReader()(write("flat.sdf", text))
    assert len(SdfReader(ReadConfig(flat="keep"))(write("flat.sdf", text))) == 1


@pytest.mark.fault("F23")
def test_deuterium_is_hydrogen_and_dummies_stop(write: Write) -> None:
    text = block(("C", 0, 0, 0), ("D", 1.1, 0, 0), ("R#", 0, 1.4, 0.2))
    with pytest.raises(DataError, match=r"record 1 \(mol\), atom 3 \(line 7\)"):
        SdfReader()(write("d.sdf", text))
    (record,), report = SdfReader(ReadConfig(dummies="drop")).read(write("d.sdf", text))
    assert record.z.tolist() == [6, 1]
    assert report.counts == {"dummy atoms dropped": 1, "deuterium or tritium read as hydrogen": 1}


@pytest.mark.fault("F22")
def test_an_empty_molecule_is_refused_and_hydrogens_can_be_dropped(write: Write) -> None:
    with pytest.raises(DataError, match="no atoms"):
        SdfReader()(write("none.sdf", block()))
    text = block(("C", 0, 0, 0), ("H", 1.1, 0, 0.1))
    (record,) = SdfReader(ReadConfig(hydrogens="drop"))(write("ch.sdf", text))
    assert record.z.tolist() == [6]
