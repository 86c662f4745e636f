"""PDB and mmCIF: what is refused, what is dropped, and that all of it is said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from intertwiner.errors import DataError
from intertwiner_atoms.config import ReadConfig
from intertwiner_atoms.readers.macromolecule import MmcifReader, PdbReader

Write = Callable[[str, str], Path]


def atom(
    serial: str = "1",
    name: str = "CA",
    *,
    altloc: str = " ",
    residue: str = "ALA",
    number: str = "1",
    icode: str = " ",
    xyz: tuple[float, float, float] = (1.0, 2.0, 3.0),
    occupancy: float = 1.0,
    element: str = "C",
    record: str = "ATOM",
) -> str:
    """One line of a PDB file."""
    x, y, z = xyz
    return (
        f"{record:<6}{serial:>5} {name:<4}{altloc}{residue:>3} A{number:>4}{icode}   "
        f"{x:8.3f}{y:8.3f}{z:8.3f}{occupancy:6.2f}{10.0:6.2f}          {element:>2}"
    )


def pdb(*lines: str) -> str:
    return "\n".join([*lines, "END", ""])


@pytest.mark.fault("F20")
@pytest.mark.parametrize(
    ("start", "text", "words"),
    [
        (30, "     nan", "line 2, atom 7 CA: x='     nan' is not finite"),
        (38, "     inf", "y='     inf' is not finite"),
        (46, "********", r"z='\*{8}' is no number; columns 47-54"),
        (38, "        ", "y='        ' is no number"),
        (30, "  1.000 ", "the point is not in column 35; the columns are shifted"),
    ],
)
def test_a_coordinate_field_that_is_no_number_is_named_with_line_and_atom(
    write: Write, start: int, text: str, words: str
) -> None:
    line = atom("7")
    path = write("bad.pdb", pdb(atom("1", xyz=(9, 9, 9)), line[:start] + text + line[start + 8 :]))
    with pytest.raises(DataError, match=words):
        PdbReader()(path)


@pytest.mark.fault("F20")
def test_a_line_shifted_by_one_column_is_refused(write: Write) -> None:
    line = atom("7", xyz=(-11.058, 21.426, -20.149))
    with pytest.raises(DataError, match="line 1, atom"):
        PdbReader()(write("shifted.pdb", pdb(line[:20] + " " + line[20:])))
    with pytest.raises(DataError, match="line 1, atom"):
        PdbReader()(write("shifted.pdb", pdb(line[:20] + line[21:])))


@pytest.mark.fault("F20")
def test_a_line_that_ends_before_its_coordinates_is_refused(write: Write) -> None:
    with pytest.raises(DataError, match="line 2, atom 2 CB: the line ends at column 50"):
        PdbReader()(write("cut.pdb", atom("1") + "\n" + atom("2", "CB")[:50]))


@pytest.mark.fault("F20")
def test_a_line_that_ends_after_its_coordinates_is_read_and_counted(write: Write) -> None:
    _, report = PdbReader().read(write("short.pdb", pdb(atom()[:54])))
    assert report.counts["occupancies missing, read as 1"] == 1
    assert report.counts["elements missing, taken from the atom name"] == 1


@pytest.mark.fault("F20")
def test_an_occupancy_that_is_no_number_is_a_sign_of_shifted_columns(write: Write) -> None:
    line = atom("7")
    path = write("shifted.pdb", pdb(atom("1", xyz=(9, 9, 9)), line[:54] + "A   0.0" + line[61:]))
    with pytest.raises(DataError, match=r"line 2, atom 7 CA: 'A   0.' is not a number \(occupancy"):
        PdbReader()(path)


@pytest.mark.fault("F23")
def test_an_element_that_is_none_is_named_with_line_atom_and_residue(write: Write) -> None:
    path = write("qq.pdb", pdb(atom("1", "QQ1", residue="UNK", element="QQ")))
    with pytest.raises(DataError, match=r"line 1, atom 1 QQ1: element 'QQ'.*residue UNK"):
        PdbReader()(path)


@pytest.mark.fault("F23")
def test_elements_of_names_written_in_the_first_column_follow_the_residue(write: Write) -> None:
    names = ("CA", "CB", "CD1", "OE1", "HG11")
    lines = [atom(str(n), name, xyz=(2.0 * n, 0, 0)) for n, name in enumerate(names)]
    lines.append(atom("9", "CA", residue="CA", number="2", xyz=(0, 9, 0), record="HETATM"))
    lines.append(atom("10", "CL1", residue="LIG", number="3", xyz=(0, 5, 0), record="HETATM"))
    shifted = [f"{line[:12]}{line[12:16].strip():<4}{line[16:76]}" for line in lines]
    (record,), report = PdbReader().read(write("left.pdb", pdb(*shifted)))
    assert record.z.tolist() == [6, 6, 6, 8, 1, 20, 17]
    assert report.counts["elements missing, taken from the atom name"] == 7


@pytest.mark.fault("F22")
def test_many_atoms_in_one_place_are_counted(write: Write) -> None:
    lines = [atom(str(n), f"C{n}", xyz=(0, 0, 0)) for n in range(1, 6)]
    with pytest.raises(DataError, match=r"5 atoms share the coordinates \(0.000, 0.000, 0.000\)"):
        PdbReader()(write("point.pdb", pdb(*lines)))


@pytest.mark.fault("F20")
def test_a_place_no_atom_can_have_is_refused(write: Write) -> None:
    with pytest.raises(DataError, match="farther out than any atom"):
        MmcifReader()(write("far.cif", cif("0 0 0", "1e30 0 0")))


@pytest.mark.fault("F20")
def test_atoms_behind_the_end_are_not_lost_silently(write: Write) -> None:
    text = pdb(atom()) + pdb(atom("2", xyz=(5, 5, 5)))
    with pytest.raises(DataError, match=r"line 3: atoms after END \(line 2\)"):
        PdbReader()(write("two.pdb", text))


@pytest.mark.fault("F22")
def test_two_atoms_in_one_place_are_named_by_chain_residue_and_serial(write: Write) -> None:
    path = write("twice.pdb", pdb(atom("1", "CA"), atom("2", "CB")))
    with pytest.raises(DataError, match=r"A/ALA 1/CA \(serial 1\) and atom A/ALA 1/CB"):
        PdbReader()(path)


@pytest.mark.fault("F23")
def test_of_alternate_places_one_conformer_is_kept_for_the_whole_residue(write: Write) -> None:
    lines = [
        atom("1", "N", xyz=(0, 0, 0), element="N"),
        atom("2", "CA", altloc="A", xyz=(1, 0, 0), occupancy=0.4),
        atom("3", "CA", altloc="B", xyz=(2, 0, 0), occupancy=0.6),
        atom("4", "CB", altloc="A", xyz=(3, 0, 0), occupancy=0.5),
        atom("5", "CB", altloc="B", xyz=(4, 0, 0), occupancy=0.5),
        atom("6", "CG", altloc="C", xyz=(5, 0, 0), occupancy=0.2),
    ]
    (record,), report = PdbReader().read(write("alt.pdb", pdb(*lines)))
    assert record.pos[:, 0].tolist() == [0, 2, 4, 5]
    assert report.counts == {"altlocs dropped": 2}


@pytest.mark.fault("F23")
def test_of_two_residues_in_one_place_the_more_occupied_is_kept(write: Write) -> None:
    lines = [
        atom("1", "CA", altloc="A", residue="SER", xyz=(1, 0, 0), occupancy=0.3),
        atom("2", "OG", altloc="A", residue="SER", xyz=(2, 0, 0), occupancy=0.3, element="O"),
        atom("3", "CA", altloc="B", residue="GLY", xyz=(3, 0, 0), occupancy=0.7),
    ]
    (record,), report = PdbReader().read(write("mixed.pdb", pdb(*lines)))
    assert record.pos[:, 0].tolist() == [3]
    assert report.counts == {"altlocs dropped": 2}


@pytest.mark.fault("F23")
def test_waters_metals_deuterium_and_zero_occupancy_follow_the_policy(write: Write) -> None:
    lines = [
        atom("1", "CA", xyz=(0, 0, 0)),
        atom("2", "CB", xyz=(1, 0, 0), occupancy=0.0),
        atom("3", "ZN", residue="ZN", number="2", xyz=(2, 0, 0), element="ZN", record="HETATM"),
        atom("4", "O", residue="DOD", number="3", xyz=(3, 0, 0), element="O", record="HETATM"),
        atom("5", "D1", residue="DOD", number="3", xyz=(4, 0, 0), element="D", record="HETATM"),
    ]
    path = write("all.pdb", pdb(*lines))
    (record,), report = PdbReader().read(path)
    assert record.z.tolist() == [6, 6, 30]
    assert report.counts == {
        "water atoms dropped": 2,
        "metal atoms kept": 1,
        "atoms of zero occupancy kept": 1,
    }
    config = ReadConfig(waters="keep", metals="drop", zero_occupancy="drop")
    (record,), report = PdbReader(config).read(path)
    assert record.z.tolist() == [6, 8, 1]
    assert report.counts["deuterium or tritium read as hydrogen"] == 1
    with pytest.raises(DataError, match=r"A/ALA 1/CB \(serial 2\): occupancy 0"):
        PdbReader(ReadConfig(zero_occupancy="stop"))(path)


@pytest.mark.fault("F23")
def test_dummy_and_unknown_atoms_stop_or_are_dropped(write: Write) -> None:
    lines = [atom(), atom("2", "X", residue="UNX", number="2", xyz=(5, 0, 0), element="X")]
    path = write("dummy.pdb", pdb(*lines))
    with pytest.raises(DataError, match=r"A/UNX 2/X \(serial 2\).*dummies=drop"):
        PdbReader()(path)
    (record,), report = PdbReader(ReadConfig(dummies="drop")).read(path)
    assert record.z.tolist() == [6]
    assert report.counts == {"dummy atoms dropped": 1}


@pytest.mark.fault("F23")
def test_insertion_codes_are_residues_of_their_own_and_hybrid_36_is_read(write: Write) -> None:
    lines = [
        atom("A0000", altloc="A", number="52", xyz=(0, 0, 0)),
        atom("A0001", altloc="B", number="52", icode="A", xyz=(1, 0, 0)),
        atom("A0002", number="A000", xyz=(2, 0, 0)),
    ]
    (record,), report = PdbReader().read(write("codes.pdb", pdb(*lines)))
    assert len(record.z) == 3
    assert not report.counts


@pytest.mark.fault("F23")
def test_of_several_models_the_first_all_or_none_is_read(write: Write) -> None:
    model = "MODEL     {}\n" + atom() + "\nENDMDL\n"
    path = write("models.pdb", "".join(model.format(number) for number in (1, 2, 3)))
    _, report = PdbReader().read(path)
    assert report.counts == {"models dropped": 2}
    assert len(PdbReader(ReadConfig(models="all"))(path)) == 3
    with pytest.raises(DataError, match="3 models; set models=first"):
        PdbReader(ReadConfig(models="stop"))(path)


def test_a_file_of_nothing_but_waters_says_what_was_dropped(write: Write) -> None:
    path = write("water.pdb", pdb(atom("1", "O", residue="HOH", element="O", record="HETATM")))
    with pytest.raises(DataError, match="no atoms are left: water atoms dropped: 1"):
        PdbReader()(path)


HEAD = "data_x\nloop_\n" + "".join(
    f"_atom_site.{name}\n"
    for name in (
        *("group_PDB", "id", "type_symbol", "label_atom_id", "label_alt_id", "label_comp_id"),
        *("label_asym_id", "label_entity_id", "label_seq_id", "pdbx_PDB_ins_code"),
        *("Cartn_x", "Cartn_y", "Cartn_z", "occupancy", "B_iso_or_equiv", "auth_seq_id"),
        *("auth_asym_id", "pdbx_PDB_model_num"),
    )
)


def cif(*coordinates: str) -> str:
    rows = (
        f"ATOM {index} C C{index} . ALA A 1 1 ? {xyz} 1.00 10.0 1 A 1\n"
        for index, xyz in enumerate(coordinates, start=1)
    )
    return HEAD + "".join(rows)


def test_an_mmcif_file_is_read(write: Write) -> None:
    (record,) = MmcifReader()(write("a.cif", cif("0 0 0", "1.5 0 0")))
    assert record.z.tolist() == [6, 6]
    assert record.pos[1].tolist() == [1.5, 0, 0]


@pytest.mark.fault("F20")
@pytest.mark.parametrize("value", ["?", "nan", "********", "1.2.3"])
def test_an_mmcif_coordinate_that_is_no_number_is_named_with_row_and_atom(
    write: Write, value: str
) -> None:
    with pytest.raises(DataError, match=r"_atom_site row 2, atom 2 C2: y='"):
        MmcifReader()(write("bad.cif", cif("0 0 0", f"1 {value} 0")))


@pytest.mark.fault("F20")
def test_a_truncated_mmcif_row_is_refused(write: Write) -> None:
    with pytest.raises(DataError, match="gemmi cannot read it"):
        MmcifReader()(write("cut.cif", cif("0 0 0", "1.5 0 0")[:-20]))


@pytest.mark.fault("F23")
def test_a_residue_name_that_is_too_long_is_refused(write: Write) -> None:
    text = cif("0 0 0").replace("ALA", "RESIDUENAME")
    with pytest.raises(DataError, match="gemmi cannot read it: .*residue names"):
        MmcifReader()(write("long.cif", text))
