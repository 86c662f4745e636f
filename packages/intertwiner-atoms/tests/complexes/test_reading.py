"""Every way two files can fail to be a complex has its own words; the rest is read and counted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from intertwiner.errors import ConfigError, DataError
from intertwiner_atoms import read_complex, read_ligands, read_receptor
from intertwiner_atoms.config import ComplexConfig

Bench = Any
Site = Any
XYZ = "1\n\nN 0 0 0.1\n"
LIGAND = (
    *(("C", (0.0, 0.0, 0.1)), ("C", (1.4, 0.0, 0.2)), ("N", (0.0, 1.4, 0.3))),
    *(("O", (-1.4, 0.0, 0.4)), ("S", (0.0, -1.7, 0.5))),
)


def test_the_record_has_the_ligand_first_and_then_the_protein(bench: Bench) -> None:
    record, report = read_complex(bench.protein(), bench.ligand())
    assert record.num_nodes == 5 + 32
    assert record.z[:5].tolist() == [6, 6, 7, 8, 16]
    assert record.part.tolist() == [1] * 5 + [0] * 32
    assert record.residue.tolist() == [0] * 5 + np.repeat(np.arange(1, 9), 4).tolist()
    assert record.residue_names == ["lig", *["GLY"] * 8]
    assert record.pos.dtype == torch.float32
    assert record.name == "lig"
    assert record.smiles == ""
    assert report.all_counts == {"ligand: hydrogens dropped": 1}
    assert report.policies["waters"] == "displace"
    assert report.summary() == "lig: 37 atoms; ligand: hydrogens dropped: 1"


def test_policies_are_settings_by_name_and_every_one_is_checked(bench: Bench) -> None:
    record, _ = read_complex(bench.protein(), bench.ligand(), hydrogens="keep")
    assert int((record.z == 1).sum()) == 1
    with pytest.raises(ConfigError, match="waters"):
        read_complex(bench.protein(), bench.ligand(), waters="boil")
    with pytest.raises(ConfigError, match="waters"):
        read_complex(bench.protein(), bench.ligand(), waters=["keep"])
    with pytest.raises(ConfigError, match="watters.*waters"):
        read_complex(bench.protein(), bench.ligand(), watters="keep")


def test_a_protein_is_read_once_for_many_ligands(bench: Bench) -> None:
    receptor = read_receptor(bench.protein())
    (ligand,) = read_ligands(bench.ligand())
    first, _ = read_complex(receptor, ligand)
    second, _ = read_complex(bench.protein(), bench.ligand())
    assert torch.equal(first.pos, second.pos)


# The protein's file.


@pytest.mark.fault("F23")
def test_waters_that_the_ligand_displaces_are_removed_by_default(bench: Bench, site: Site) -> None:
    near = site("O", "O", "HOH", 101, (0.0, 0.0, 2.3), "HETATM")
    far = site("O", "O", "HOH", 102, (0.0, 3.2, 3.2), "HETATM")
    protein, ligand = bench.protein(near, far), bench.ligand()
    record, report = read_complex(protein, ligand)
    assert record.residue_names[-1] == "HOH"
    assert report.counts == {"waters displaced": 1}
    record, report = read_complex(protein, ligand, waters="keep")
    assert len(record.z) == 5 + 32 + 2
    assert not report.counts
    record, report = read_complex(protein, ligand, waters="drop")
    assert len(record.z) == 5 + 32
    assert report.protein.counts == {"water atoms dropped": 2}


@pytest.mark.fault("F23")
def test_waters_on_top_of_the_ligand_are_reported_when_kept(bench: Bench, site: Site) -> None:
    protein = bench.protein(site("O", "O", "HOH", 101, (0.0, 0.1, 0.1), "HETATM"))
    _, report = read_complex(protein, bench.ligand(), waters="keep")
    assert report.counts == {"waters that overlap the ligand kept": 1}
    assert not report.notes


@pytest.mark.fault("F23")
def test_metals_altlocs_and_zero_occupancy_follow_the_policy(bench: Bench, site: Site) -> None:
    zinc = site("ZN", "ZN", "ZN", 201, (0.0, 0.0, 2.2), "HETATM")
    two = [
        site("OG", "O", "SER", 202, (5, y, 0), altloc=letter, occupancy=o)
        for letter, o, y in (("A", 0.6, 0), ("B", 0.4, 1))
    ]
    empty = site("CB", "C", "ALA", 203, (0, 5, 0), occupancy=0.0)
    protein, ligand = bench.protein(zinc, *two, empty), bench.ligand()
    record, report = read_complex(protein, ligand)
    assert (record.z == 30).sum() == 1
    assert report.protein.counts == {
        "altlocs dropped": 1,
        "metal atoms kept": 1,
        "atoms of zero occupancy kept": 1,
    }
    assert report.notes == ["atoms missing: A/SER 202 (1 of 6), A/ALA 203 (1 of 5)"]
    record, _ = read_complex(protein, ligand, metals="drop", zero_occupancy="drop")
    assert len(record.z) == 5 + 32 + 1
    with pytest.raises(DataError, match="altlocs=highest"):
        read_complex(protein, ligand, altlocs="stop")


@pytest.mark.fault("F23")
def test_of_several_models_one_is_used(bench: Bench) -> None:
    body = bench.protein().read_text().replace("END\n", "")
    path = bench.write("nmr.pdb", "".join(f"MODEL {n:8d}\n{body}ENDMDL\n" for n in (1, 2)))
    _, report = read_complex(path, bench.ligand(), model=2)
    assert report.protein.counts == {"models, of which number 2 is used": 2}
    with pytest.raises(DataError, match=r"nmr.pdb has 2 models; model=5 requested"):
        read_complex(path, bench.ligand(), model=5)


def test_nothing_left_of_the_protein_says_what_was_dropped(bench: Bench, site: Site) -> None:
    waters = [site("O", "O", "HOH", n, (4.0, n, 0.0), "HETATM") for n in (1, 2)]
    protein = bench.protein(sites=waters)
    with pytest.raises(DataError, match=r"no protein atoms left \(waters='drop', metals='keep'\)"):
        read_complex(protein, bench.ligand(), waters="drop")
    record, _ = read_complex(protein, bench.ligand())
    assert len(record.z) == 7


def test_one_protein_atom_and_one_ligand_atom_are_a_complex(bench: Bench, site: Site) -> None:
    protein = bench.protein(sites=[site("ZN", "ZN", "ZN", 1, (3.0, 0, 0), "HETATM")])
    record, _ = read_complex(protein, bench.ligand([("Cl", (0.0, 0.0, 0.0))]))
    assert record.z.tolist() == [17, 30]


def test_residues_that_lack_atoms_and_nucleotides_are_reported(bench: Bench, site: Site) -> None:
    more = [site("CA", "C", "TRP", 20, (0, 6, 0)), site("P", "P", "DA", 21, (6, 0, 0))]
    _, report = read_complex(bench.protein(*more), bench.ligand())
    assert report.counts == {"residues with atoms missing": 1, "nucleotides": 1}
    assert report.notes == ["atoms missing: A/TRP 20 (1 of 14)"]


def test_the_crop_keeps_whole_residues_with_an_atom_in_reach(bench: Bench, site: Site) -> None:
    edge = [site("N", "N", "GLY", 9, (13, 0, 0)), site("CA", "C", "GLY", 9, (14, 0, 0))]
    beyond = [site("N", "N", "GLY", 10, (14, 5, 0)), site("CA", "C", "GLY", 10, (15, 5, 0))]
    protein = bench.protein(*edge, *beyond)
    record, report = read_complex(protein, bench.ligand())
    assert record.pos[-1].tolist() == [14.0, 0.0, 0.0]
    assert report.counts["protein atoms beyond the crop left out"] == 2
    whole, _ = read_complex(protein, bench.ligand(), crop=0)
    assert len(whole.z) == len(record.z) + 2


# The ligand's file.


@pytest.mark.fault("F25")
@pytest.mark.parametrize("header", ["2D", "3D", "  "])
def test_a_drawing_is_no_pose(bench: Bench, header: str) -> None:
    flat = [("C", (x, y, 0.0)) for x in (0.0, 1.4) for y in (0.0, 1.4)]
    path = bench.ligand(flat)
    path.write_text(path.read_text().replace("3D", header))
    with pytest.raises(DataError, match=r"record 1 \(lig\).*(no 3D coordinates|drawing)"):
        read_complex(bench.protein(), path)


@pytest.mark.fault("F25")
def test_a_flat_ring_in_space_is_a_pose(bench: Bench) -> None:
    ring = [("C", (x, 0.0, z)) for x in (0.0, 1.4) for z in (0.0, 1.4)]
    record, _ = read_complex(bench.protein(), bench.ligand(ring))
    assert int(record.part.sum()) == 4


@pytest.mark.fault("F25")
def test_several_records_need_a_number(bench: Bench, molecule: Any) -> None:
    path = bench.write("x.sdf", "".join(molecule(title=f"LIG{n}") for n in (1, 2, 3)))
    with pytest.raises(
        DataError, match=r"x.sdf has 3 records \(LIG1, LIG2, LIG3\); give ligand_index"
    ):
        read_complex(bench.protein(), path)
    record, report = read_complex(bench.protein(), path, ligand_index=2)
    assert record.name == "LIG2"
    assert report.ligand.counts == {"hydrogens dropped": 1}
    with pytest.raises(DataError, match="ligand_index=7 but .*x.sdf has 3 records"):
        read_complex(bench.protein(), path, ligand_index=7)
    with pytest.raises(DataError, match="ligand_index=2 but .*ligand.sdf has 1 record"):
        read_complex(bench.protein(), bench.ligand(), ligand_index=2)


@pytest.mark.fault("F25")
def test_another_record_that_is_broken_does_not_matter(bench: Bench, molecule: Any) -> None:
    broken = molecule(title="bad").replace("    0.0000    0.0000    0.1000", "       nan" * 3)
    path = bench.write("x.sdf", broken + molecule(title="good"))
    record, _ = read_complex(bench.protein(), path, ligand_index=2)
    assert record.name == "good"
    with pytest.raises(DataError, match=r"record 1 \(bad\).*nan"):
        read_complex(bench.protein(), path, ligand_index=1)


def test_only_hydrogens_are_no_ligand(bench: Bench) -> None:
    path = bench.ligand([("H", (0.0, 0.0, 0.1)), ("H", (0.7, 0.0, 0.1))])
    with pytest.raises(DataError, match="no atoms are left: hydrogens dropped: 2"):
        read_complex(bench.protein(), path)


@pytest.mark.fault("F23")
def test_dummies_in_a_ligand_are_dropped_and_counted(bench: Bench) -> None:
    path = bench.ligand([("C", (0.0, 0.0, 0.1)), ("R#", (1.4, 0.0, 0.1)), ("*", (0, 1.4, 0.1))])
    record, report = read_complex(bench.protein(), path)
    assert int(record.part.sum()) == 1
    assert report.ligand.counts == {"dummy atoms dropped": 2}
    with pytest.raises(DataError, match="dummies=drop"):
        read_complex(bench.protein(), path, dummies="stop")


@pytest.mark.fault("F24")
def test_valences_that_cannot_be_do_not_matter(bench: Bench) -> None:
    text = bench.ligand().read_text().replace("  6  0", "  6  5")
    bonds = "".join(f"  1{other:3d}  4\n" for other in range(2, 7))
    path = bench.write("odd.sdf", text.replace("M  END", f"{bonds}M  END"))
    record, _ = read_complex(bench.protein(), path)
    assert int(record.part.sum()) == 5


def test_the_smiles_says_whether_atoms_are_missing(bench: Bench) -> None:
    protein, ligand = bench.protein(), bench.ligand()
    for smiles in ("CC(N)(O)S", "CC(N)(O)S.Cl"):
        record, _ = read_complex(protein, ligand, smiles=smiles)
        assert record.smiles == smiles
    with pytest.raises(DataError, match="the pose has C2 N O S, the SMILES 'CCC.*' has C3 N O S"):
        read_complex(protein, ligand, smiles="CCC(N)(O)S")
    with pytest.raises(DataError, match="invalid SMILES 'C1CC'"):
        read_complex(protein, ligand, smiles="C1CC")


def test_the_smiles_can_be_written_from_the_bonds(bench: Bench) -> None:
    bonds = "  1  2  1\n  1  3  1\n  1  4  1\n  1  5  1\n"
    text = bench.ligand(LIGAND[:5]).read_text()
    text = text.replace("  5  0", "  5  4").replace("M  END", f"{bonds}M  END")
    record, report = read_complex(bench.protein(), bench.write("l.sdf", text), derive_smiles=True)
    assert record.smiles == "C[C@](N)(O)S"
    assert not report.notes
    wrong = text.replace("  1  2  1", "  1  2  3")
    record, report = read_complex(bench.protein(), bench.write("w.sdf", wrong), derive_smiles=True)
    assert record.smiles == ""
    (note,) = report.notes
    assert note.startswith("SMILES unavailable: Explicit valence for atom # 0 C")
    mol2 = (
        "@<TRIPOS>MOLECULE\nhcn\n 3 2 0 0 0\nSMALL\nNO_CHARGES\n\n@<TRIPOS>ATOM\n"
        "1 C1 0 0 0.1 C.1 1 LIG 0\n2 N1 1.16 0 0.1 N.1 1 LIG 0\n3 H1 -1.07 0 0.1 H 1 LIG 0\n"
        "@<TRIPOS>BOND\n1 1 2 3\n2 1 3 1\n"
    )
    path = bench.write("l.mol2", mol2)
    record, _ = read_complex(bench.protein(), path, derive_smiles=True)
    assert record.smiles == "C#N"
    record, report = read_complex(bench.protein(), bench.write("l.xyz", XYZ), derive_smiles=True)
    assert report.notes == ["SMILES unavailable: l.xyz says nothing of bonds; use SDF or MOL2"]


def test_a_smiles_alone_is_no_pose(bench: Bench) -> None:
    with pytest.raises(DataError, match="lig.smi: a SMILES has no pose"):
        read_complex(bench.protein(), bench.write("lig.smi", "CCO ethanol\n"))


def test_names_that_are_not_utf8_are_read(bench: Bench) -> None:
    path = bench.ligand(title="Fl\u00fcor")
    path.write_bytes(path.read_text(encoding="utf-8").encode("latin-1"))
    record, _ = read_complex(bench.protein(), path)
    assert record.name == "Fl\u00fcor"


def test_a_peptide_in_a_pdb_file_can_be_the_ligand(bench: Bench, site: Site) -> None:
    peptide = [site("N", "N", "GLY", 1, (0, 0, 0)), site("CA", "C", "GLY", 1, (1.4, 0, 0.1))]
    path = bench.protein(sites=peptide, name="peptide.pdb")
    record, _ = read_complex(bench.protein(), path)
    assert record.name == "peptide"
    assert record.part[:2].tolist() == [1, 1]


# Both together.


@pytest.mark.fault("F25")
def test_another_frame_is_refused_with_the_distance(bench: Bench) -> None:
    far = bench.ligand(shift=(50.0, 0.0, 0.0))
    with pytest.raises(
        DataError, match=r"nearest protein-ligand distance 4\d\.\d angstrom.*coordinate frames\?"
    ):
        read_complex(bench.protein(), far)
    record, report = read_complex(bench.protein(), far, allow_far=True)
    assert len(record.z) == 5 + 32
    assert report.notes == ["the ligand is far from the protein; nothing was cropped"]


@pytest.mark.fault("F25")
def test_a_ligand_near_nothing_but_waters_is_in_another_frame(bench: Bench, site: Site) -> None:
    water = site("O", "O", "HOH", 101, (50.0, 4.0, 0.0), "HETATM")
    with pytest.raises(DataError, match="coordinate frames"):
        read_complex(bench.protein(water), bench.ligand(shift=(50.0, 0.0, 0.0)))


@pytest.mark.fault("F25")
def test_a_ligand_that_is_still_in_the_protein_is_named(bench: Bench, site: Site) -> None:
    copy = [
        site(f"{element}{n}", element, "LIG", 301, place, "HETATM")
        for n, (element, place) in enumerate(
            [("C", (0.1, 0, 0.1)), ("C", (1.4, 0.1, 0.2)), ("N", (0, 1.4, 0.3))], start=1
        )
    ]
    protein, ligand = bench.protein(*copy), bench.ligand()
    words = (
        r"3 ligand atoms coincide with HETATM A/LIG 301 of .*protein.pdb: the ligand is still "
        "inside the protein file; remove it or set exclude_ligand=true"
    )
    with pytest.raises(DataError, match=words):
        read_complex(protein, ligand)
    record, report = read_complex(protein, ligand, exclude_ligand=True)
    assert len(record.z) == 5 + 32
    assert report.counts == {"atoms of the ligand's copy in the protein's file removed": 3}


@pytest.mark.fault("F25")
def test_a_copy_that_is_not_there_is_reported(bench: Bench) -> None:
    _, report = read_complex(bench.protein(), bench.ligand(), exclude_ligand=True)
    assert report.notes == ["exclude_ligand: no copy of the ligand in the protein's file"]


@pytest.mark.fault("F25")
def test_a_protein_through_the_ligand_is_not_taken_for_its_copy(bench: Bench, site: Site) -> None:
    chain = [site("CA", "C", "GLY", 9, (0, 0, 0.1)), site("C", "C", "GLY", 9, (1.4, 0, 0.2))]
    chain += [site("N", "N", "GLY", 9, (5, 5, 0)), site("O", "O", "GLY", 9, (6, 6, 0))]
    chain += [site("OXT", "O", "GLY", 9, (7, 7, 0))]
    with pytest.raises(DataError, match=r"2 ligand atoms coincide with ATOM A/GLY 9"):
        read_complex(bench.protein(*chain), bench.ligand(), exclude_ligand=True)


@pytest.mark.fault("F25")
def test_one_short_distance_may_be_a_bond_and_more_are_a_clash(bench: Bench, site: Site) -> None:
    thiol = site("SG", "S", "CYS", 145, (0.0, 0.0, 1.91), "HETATM")
    _, report = read_complex(bench.protein(thiol), bench.ligand())
    bond, missing = report.notes
    assert bond == (
        "possible covalent ligand: atom A/CYS 145/SG (serial 33) - C atom 1 (line 5), 1.81 angstrom"
    )
    assert missing.startswith("atoms missing: A/CYS 145")
    more = site("CB", "C", "CYS", 145, (0.7, 0.7, 1.3), "HETATM")
    _, report = read_complex(bench.protein(thiol, more), bench.ligand())
    assert report.notes[0].startswith("clash: ")
    assert report.notes[0].endswith("pairs < 1.9 angstrom, closest 1.41 angstrom")


def test_metals_bind_and_are_no_clash(bench: Bench, site: Site) -> None:
    zinc = site("ZN", "ZN", "ZN", 201, (0.0, 0.0, 1.85), "HETATM")
    _, report = read_complex(bench.protein(zinc), bench.ligand())
    assert not report.notes


def test_swapped_files_are_noticed(bench: Bench, site: Site) -> None:
    lattice = [(2.0 * x, 2.0 * y, 2.0 * z) for x in range(6) for y in range(6) for z in range(6)]
    big = bench.ligand([("C", place) for place in lattice])
    with pytest.raises(
        DataError, match="ligand has 216 heavy atoms, protein 32: arguments swapped"
    ):
        read_complex(bench.protein(), big)
    with pytest.raises(DataError, match=r"ligand.sdf: not a file of a protein.*swapped\?"):
        read_complex(bench.ligand(), bench.protein())


def test_nanometres_are_noticed(bench: Bench) -> None:
    small = [
        (element, tuple(value / 10 for value in place))
        for element, place in [
            ("C", (0, 0, 1)),
            ("C", (1.4, 0, 1)),
            ("C", (2.8, 0, 1)),
            ("O", (0, 1.4, 1)),
        ]
    ]
    with pytest.raises(DataError, match=r"median nearest-neighbour distance 0\.14.*nm\?"):
        read_complex(bench.protein(), bench.ligand(small))


@pytest.mark.fault("F21")
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "file is empty"),
        ("<html><body>404</body></html>", "a web page"),
        ("Dear colleague\n", "no reader|no ATOM"),
        ("HEADER    NOTHING\nEND\n", "no ATOM or HETATM line"),
    ],
)
def test_files_that_are_none_are_refused(bench: Bench, text: str, words: str) -> None:
    with pytest.raises(DataError, match=f"other.pdb.*{words}"):
        read_complex(bench.write("other.pdb", text), bench.ligand())
    with pytest.raises(DataError, match="missing.pdb"):
        read_complex(bench.folder / "missing.pdb", bench.ligand())


def test_the_default_settings_are_the_documented_ones() -> None:
    config = ComplexConfig()
    assert (config.waters, config.hydrogens, config.crop) == ("displace", "drop", 12.0)
