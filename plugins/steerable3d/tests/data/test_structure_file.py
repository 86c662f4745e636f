"""PDB and mmCIF by rule: names, elements, alternative places, models, and what is refused."""

from __future__ import annotations

import gzip

import pytest
import torch

from intertwiner_steerable3d.data.proteins import AMINO_ACIDS
from intertwiner_steerable3d.data.structure_file import read_structure
from intertwiner_steerable3d.errors import InvalidInput

pytest.importorskip("gemmi", reason="needs gemmi: pip install gemmi")

ALA, HIS, MET = (AMINO_ACIDS.index(name) for name in ("ALA", "HIS", "MET"))
COLUMNS = (
    *("group_PDB", "id", "type_symbol", "label_atom_id", "label_alt_id", "label_comp_id"),
    *("label_asym_id", "label_entity_id", "label_seq_id", "Cartn_x", "Cartn_y", "Cartn_z"),
    *("occupancy", "auth_seq_id", "auth_asym_id", "pdbx_PDB_model_num"),
)


def atom(
    name, residue, number, place, *, element="", alt=" ", code=" ", occupancy=1.0, group="ATOM"
):
    """One line of a PDB file in its fixed columns."""
    x, y, z = place
    padded = f" {name:<3s}" if len(name) < 4 else name
    return (
        f"{group:<6s}{1:5d} {padded}{alt}{residue:>3s} A{number:4d}{code}   "
        f"{x:8.3f}{y:8.3f}{z:8.3f}{occupancy:6.2f}{0.0:6.2f}          {element:>2s}"
    )


def residue(kind, number, shift=0.0, **settings):
    places = {"N": (0, 0, 0), "CA": (1.46, 0, 0), "C": (2.0, 1.42, 0), "O": (1.3, 2.4, 0)}
    return [
        atom(name, kind, number, (x + shift, y, z), **settings)
        for name, (x, y, z) in places.items()
    ]


def read(tmp_path, lines, name="made.pdb", end="\n"):
    path = tmp_path / name
    text = (end.join([*lines, "END"]) + end).encode()
    path.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    return read_structure(path)


@pytest.mark.fault("F23")
def test_elements_come_from_names_where_the_column_is_missing(tmp_path):
    found = read(tmp_path, [line[:66] for line in residue("ALA", 1)])
    assert found.element.tolist() == [1, 0, 0, 2]
    assert found.amino_acid.tolist() == [ALA]


@pytest.mark.parametrize("name", ["made.pdb", "made.pdb.gz", "made.ent"])
def test_line_ends_and_compression_change_nothing(tmp_path, name):
    lines = [*residue("ALA", -5), *residue("HIS", 1, 5.0), *residue("HIS", 1, 9.0, code="A")]
    unix, dos = read(tmp_path, lines), read(tmp_path, lines, name, "\r\n")
    assert torch.equal(unix.pos, dos.pos)
    assert unix.amino_acid.tolist() == dos.amino_acid.tolist() == [ALA, HIS, HIS]


@pytest.mark.fault("F23")
def test_of_alternative_places_the_fullest_counts_and_of_equals_the_first(tmp_path):
    lines = [
        *residue("ALA", 1),
        atom("CB", "ALA", 1, (5, 0, 0), alt="B", occupancy=0.5),
        atom("CB", "ALA", 1, (4, 0, 0), alt="A", occupancy=0.5),
        atom("CG", "ALA", 1, (6, 0, 0), alt="A", occupancy=0.3),
        atom("CG", "ALA", 1, (7, 0, 0), alt="B", occupancy=0.7),
    ]
    assert read(tmp_path, lines).pos[-2:, 0].tolist() == [4.0, 7.0]


@pytest.mark.fault("F23")
def test_hydrogens_and_waters_go_modified_residues_get_their_usual_name(tmp_path):
    lines = [
        *residue("MSE", 1, group="HETATM"),
        atom("SE", "MSE", 1, (3, 3, 3), element="SE", group="HETATM"),
        *residue("HIE", 2, 5.0),
        atom("H", "HIE", 2, (5, 1, 1), element="H"),
        atom("O", "HOH", 3, (9, 9, 9), element="O", group="HETATM"),
        *residue("XYZ", 4, 10.0, group="HETATM"),
    ]
    found = read(tmp_path, lines)
    assert found.amino_acid.tolist() == [MET, HIS, -1]
    assert found.element.tolist() == [1, 0, 0, 2, 3, *[1, 0, 0, 2] * 2]


@pytest.mark.fault("F23")
def test_the_first_of_several_models_counts(tmp_path):
    lines = ["MODEL        1", *residue("ALA", 1), "ENDMDL", "MODEL        2"]
    lines += [*residue("ALA", 1, 50.0), "ENDMDL"]
    found = read(tmp_path, lines)
    assert len(found.pos) == 4
    assert float(found.pos.max()) < 50


def test_a_residue_without_its_backbone_is_no_target_and_stays_around(tmp_path):
    found = read(tmp_path, [*residue("ALA", 1), *residue("HIS", 2, 5.0)[1:]])
    assert found.targets().tolist() == [True, False]
    assert len(found.pos) == 7


def cif(rows):
    table = [f"_atom_site.{column}" for column in COLUMNS]
    return "\n".join(["data_made", "loop_", *table, *rows, ""])


def cif_rows():
    rows = []
    for number, line in enumerate([*residue("ALA", 1), *residue("HIS", 2, 5.0)], 1):
        name, kind, seq = line[12:16].strip(), line[17:20].strip(), int(line[22:26])
        place = " ".join(line[30:54].split())
        rows.append(f"ATOM {number} {name[0]} {name} . {kind} A 1 {seq} {place} 1.0 {seq} A 1")
    return rows


def test_mmcif_and_pdb_of_one_structure_are_the_same_arrays(tmp_path):
    path = tmp_path / "made.cif"
    path.write_text(cif(cif_rows()))
    one = read_structure(path)
    other = read(tmp_path, [*residue("ALA", 1), *residue("HIS", 2, 5.0)])
    for name in ("pos", "element", "residue", "amino_acid", "backbone"):
        torch.testing.assert_close(getattr(one, name), getattr(other, name), equal_nan=True)


@pytest.mark.fault("F20")
def test_a_table_that_ends_early_is_refused_with_the_file(tmp_path):
    path = tmp_path / "cut.cif"
    path.write_text(cif([*cif_rows()[:-1], "ATOM 8 O"]))
    with pytest.raises(InvalidInput, match=r"cut\.cif: not a whole structure file"):
        read_structure(path)


@pytest.mark.fault("F20")
def test_a_coordinate_that_is_no_number_is_refused(tmp_path):
    lines = residue("ALA", 1)
    broken = lines[1][:30] + "     nan" + lines[1][38:]
    with pytest.raises(InvalidInput, match=r"made\.pdb"):
        read(tmp_path, [lines[0], broken, *lines[2:]])


@pytest.mark.fault("F21")
@pytest.mark.parametrize("content", [b"", b"<html><body>404</body></html>", b"\0\1\2" * 99])
def test_what_is_no_structure_is_refused_with_the_file(tmp_path, content):
    path = tmp_path / "odd.pdb"
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match=r"odd\.pdb"):
        read_structure(path)


def test_a_file_without_protein_says_so(tmp_path):
    with pytest.raises(InvalidInput, match="no protein residues"):
        read(tmp_path, [atom("O", "HOH", 1, (0, 0, 0), element="O", group="HETATM")])
