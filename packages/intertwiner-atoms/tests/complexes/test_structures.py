"""Real proteins and ligands: every file is read or told, every pair is a complex."""

from __future__ import annotations

from pathlib import Path

import gemmi
import pytest
import torch

from intertwiner.errors import DataError
from intertwiner_atoms import read_complex, read_complexes, read_ligands, read_many, read_receptor
from intertwiner_atoms.readers.any_file import SUFFIXES

REFUSED_RECEPTORS = {
    "1MOM_min.cif": "no _atom_site rows",
    "4Q9R_min.cif": "no _atom_site rows",
    "d256ba_.ent": "no ATOM or HETATM line",
    "header.pdb": "no ATOM or HETATM line",
}


@pytest.fixture(scope="module")
def structures(shared_data: Path) -> Path:
    return shared_data / "structures"


def test_every_structure_file_is_a_receptor_or_refused_with_its_reason(structures: Path) -> None:
    files = [path for path in structures.rglob("*") if path.suffix in (".pdb", ".ent", ".cif")]
    assert len(files) >= 25
    refused = {}
    for path in files:
        try:
            receptor = read_receptor(path)
        except DataError as error:
            refused[path.name] = str(error)
            continue
        assert len(receptor.sites) == receptor.report.atoms > 0
        assert int(receptor.sites.z.min()) > 1
    assert refused.keys() == REFUSED_RECEPTORS.keys()
    for name, words in REFUSED_RECEPTORS.items():
        assert words in refused[name]


def test_every_file_in_the_shared_folder_is_read_or_told(structures: Path) -> None:
    files = [path for path in structures.rglob("*") if path.is_file()]
    collection = read_many(files)
    known = {path.name for path in files if path.suffix in SUFFIXES}
    assert {each.name for each in collection.failures} - known == {"ligands.yml"}
    assert {each.name for each in collection.failures} & known == REFUSED_RECEPTORS.keys()


def test_every_published_complex_is_read(structures: Path) -> None:
    collection = read_complexes(structures / "complexes")
    assert not collection.failures
    assert len(collection) == sum(
        path.read_text().count("$$$$") for path in (structures / "complexes").glob("*/ligands.sdf")
    )
    for record in collection:
        assert 400 < len(record.z) < 1500
        assert 15 < int(record.part.sum()) < 60
        assert torch.isfinite(record.pos).all()


def test_the_crop_is_what_gemmi_finds_around_the_ligand(structures: Path) -> None:
    folder = structures / "complexes" / "tyk2"
    ligand = read_ligands(folder / "ligands.sdf")[0]
    record, _ = read_complex(folder / "protein.pdb", ligand)
    structure = gemmi.read_pdb(str(folder / "protein.pdb"))
    structure.remove_hydrogens()
    places = [gemmi.Position(*place) for place in ligand.pos.tolist()]
    expected = [
        atom.pos.tolist()
        for chain in structure[0]
        for residue in chain
        if any(place.dist(atom.pos) <= 12.0 for atom in residue for place in places)
        for atom in residue
    ]
    found = record.pos[record.part == 0]
    assert torch.allclose(found, torch.tensor(expected, dtype=torch.float32), atol=1e-4)


def test_real_waters_metals_and_cofactors_are_kept_and_counted(structures: Path) -> None:
    folder = structures / "complexes" / "tnks2"
    record, report = read_complex(folder / "protein.pdb", folder / "ligands.sdf", ligand_index=1)
    assert report.protein.counts["metal atoms kept"] == 1
    assert report.protein.counts["water atoms kept"] == 15
    assert "HOH" in record.residue_names
    dry, _ = read_complex(
        folder / "protein.pdb", folder / "ligands.sdf", ligand_index=1, waters="drop"
    )
    assert "HOH" not in dry.residue_names


def test_a_protein_of_another_series_is_another_frame(structures: Path) -> None:
    complexes = structures / "complexes"
    with pytest.raises(DataError, match=r"different coordinate frames\?"):
        read_complex(
            complexes / "mcl1" / "protein.pdb", complexes / "tyk2" / "ligands.sdf", ligand_index=1
        )
