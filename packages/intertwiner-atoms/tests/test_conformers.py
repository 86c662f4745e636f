from __future__ import annotations

import logging

import pytest
import torch
from rdkit import Chem
from torch_geometric.data import Data

from intertwiner.conformance.checks.adapters import adapter
from intertwiner.errors import DataError
from intertwiner_atoms._plugin import intertwiner_adapters
from intertwiner_atoms.bonds import record_from_molecule, record_from_smiles, to_molecule
from intertwiner_atoms.config import ConformerConfig
from intertwiner_atoms.conformers import Conformer, embedding_seed


def test_a_smiles_becomes_atoms_with_hydrogens_at_sensible_distances() -> None:
    record = Conformer()(record_from_smiles("CCO"))
    assert record.z.tolist() == [6, 6, 8] + [1] * 6
    assert torch.allclose(record.pos.mean(dim=0), torch.zeros(3), atol=1e-5)
    distance = torch.cdist(record.pos, record.pos) + 9 * torch.eye(9)
    assert 0.9 < float(distance.min()) < 1.1
    assert float((record.pos[0] - record.pos[1]).norm()) == pytest.approx(1.51, abs=0.05)


def test_the_same_molecule_gets_the_same_conformer_however_it_is_written() -> None:
    first, again = (Conformer()(record_from_smiles("c1ccccc1O")) for _ in range(2))
    assert torch.equal(first.pos, again.pos)
    assert embedding_seed("CCO") == embedding_seed("CCO") != embedding_seed("CCC")


def test_a_graph_gives_what_its_smiles_gives() -> None:
    by_smiles = record_from_smiles("CC(=O)[O-]")
    graph = record_from_smiles("CC(=O)[O-]")
    graph.smiles = ""
    assert torch.equal(Conformer()(graph).pos, Conformer()(by_smiles).pos)
    only_text = Data(smiles="CC(=O)[O-]", name="acetate")
    assert torch.equal(Conformer()(only_text).pos, Conformer()(by_smiles).pos)


@pytest.mark.parametrize(
    "smiles",
    [
        "c1ccncc1",
        "C#N",
        "[NH4+]",
        "[Na+].[Cl-]",
        "O=C1C=CC(=O)C=C1",
        "c1c[nH]nn1",
        "[CH3]",
        "[H][H]",
    ],
)
@pytest.mark.parametrize("with_text", [True, False])
def test_a_record_there_and_back_is_the_same_molecule(smiles: str, with_text: bool) -> None:
    record = record_from_smiles(smiles)
    if not with_text:
        record.smiles = ""
    again = to_molecule(record)
    assert Chem.MolToSmiles(again) == Chem.MolToSmiles(Chem.MolFromSmiles(smiles))


@pytest.mark.parametrize("smiles", ["C[C@H](F)Cl", "C[C@@H](F)Cl", "F/C=C/F", "F/C=C\\F"])
def test_stereo_marks_are_kept_in_the_geometry(smiles: str) -> None:
    atoms = Conformer()(record_from_smiles(smiles))
    molecule = Chem.AddHs(Chem.MolFromSmiles(smiles))
    Chem.RemoveStereochemistry(molecule)
    places = Chem.Conformer(len(atoms.z))
    for index, place in enumerate(atoms.pos.tolist()):
        places.SetAtomPosition(index, place)
    molecule.AddConformer(places)
    Chem.AssignStereochemistryFrom3D(molecule)
    found = Chem.MolToSmiles(Chem.RemoveHs(molecule))
    assert found == Chem.MolToSmiles(Chem.MolFromSmiles(smiles))


def test_a_graph_whose_atoms_are_not_those_of_its_smiles_is_taken_as_the_graph() -> None:
    record = record_from_smiles("CO")
    record.smiles = "OC"
    assert Conformer()(record).z.tolist()[:2] == [6, 8]


def test_an_unknown_bond_order_names_the_atoms() -> None:
    record = record_from_smiles("CO")
    record.smiles, record.bond_order = "", torch.full((2,), 4.0)
    with pytest.raises(DataError, match=r"bond order 4\.0 of atoms 0, 1"):
        to_molecule(record)


def test_explicit_hydrogens_stay_and_keep_their_order() -> None:
    molecule = Chem.AddHs(Chem.MolFromSmiles("OC"))
    record = Conformer()(record_from_molecule(molecule, "", "methanol"))
    assert record.z.tolist() == [8, 6, 1, 1, 1, 1]


def test_labels_of_the_molecule_are_carried_over_and_those_of_atoms_are_not() -> None:
    bonds = record_from_smiles("CC")
    bonds.energy, bonds.toxic = torch.tensor([1.5]), torch.tensor([[1.0, 0.0]])
    bonds.weight = torch.zeros(2)
    atoms = Conformer()(bonds)
    assert atoms.energy.tolist() == [1.5]
    assert atoms.toxic.tolist() == [[1.0, 0.0]]
    assert "weight" not in atoms
    assert "edge_index" not in atoms


@pytest.mark.fault("F22")
def test_a_single_atom_and_a_linear_molecule_get_coordinates() -> None:
    assert Conformer()(record_from_smiles("[He]")).pos.tolist() == [[0, 0, 0]]
    acetylene = Conformer()(record_from_smiles("C#C"))
    assert torch.linalg.svdvals(acetylene.pos)[1] < 1e-2


def test_a_geometry_that_cannot_be_is_refused_by_name() -> None:
    impossible = record_from_smiles("C1#CC1", "strained")
    with pytest.raises(DataError, match="strained: no 3D geometry fits"):
        Conformer(ConformerConfig(attempts=1))(impossible)


def test_valences_that_cannot_be_name_the_molecule() -> None:
    record = record_from_smiles("CC")
    record.smiles, record.name, record.bond_order = "", "broken", torch.full((2,), 3.0)
    record.z = torch.tensor([1, 1])
    with pytest.raises(DataError, match="broken: .*valence"):
        Conformer()(record)


def test_missing_force_fields_are_said(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        Conformer()(record_from_smiles("CB(C)C"))
    assert "UFF" in caplog.text


def test_a_graph_without_orders_has_single_bonds() -> None:
    ends = torch.tensor([[0, 1], [1, 0]])
    record = Data(z=torch.tensor([6, 8]), edge_index=ends, name="methanol", num_nodes=2)
    assert Chem.MolToSmiles(to_molecule(record)) == "CO"


def test_the_conformance_kit_finds_nothing_to_say() -> None:
    (spec,) = (spec for spec in intertwiner_adapters() if spec.name == "conformer")
    assert adapter(spec) == []
