"""Complexes and molecular graphs: the kit's records, and which check finds which lie."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from conformance_toys.checking import failures
from conformance_toys.honest import INPUTS

from intertwiner.conformance.groups import random_permutation
from intertwiner.conformance.structures.bonds import BondsKit
from intertwiner.conformance.structures.complexes import ComplexKit
from intertwiner.fields import (
    ANY_NAME,
    EDGE,
    GRAPH,
    NODE,
    Field,
    Index,
    Irreps,
    Label,
    Scalar,
    Structure,
    Symmetry,
)
from intertwiner.schema import Schema
from intertwiner.specs import ModelSpec

COMPLEX_INPUTS = (*INPUTS, Field("part", NODE, Label(2)))
AFFINITY = ModelSpec(
    name="affinity",
    summary="Pairs across the interface",
    target="conformance_toys.parts:Affinity",
    config="conformance_toys.config:DistanceNetConfig",
    reads=Structure.COMPLEX,
    inputs=COMPLEX_INPUTS,
    outputs=(Field(ANY_NAME, GRAPH, Scalar()), Field(ANY_NAME, NODE, Irreps("1o"))),
    symmetry=Symmetry(space="E(3)", permutes=(NODE, "ligand", "protein")),
    tiny={"channels": 4},
)
BONDS_INPUTS = (
    Field("x", NODE, Scalar(5)),
    Field("edge_attr", EDGE, Scalar(3)),
    Field("edge_index", EDGE, Index(of=NODE)),
)
GRAPH_NET = ModelSpec(
    name="graph-net",
    summary="Messages along bonds",
    target="conformance_toys.parts:GraphNet",
    config="conformance_toys.config:DistanceNetConfig",
    reads=Structure.BONDS,
    inputs=BONDS_INPUTS,
    outputs=(Field(ANY_NAME, GRAPH, Scalar()), Field(ANY_NAME, NODE, Scalar())),
    symmetry=Symmetry(permutes=(NODE, EDGE)),
    tiny={"channels": 4},
)


def lying(spec: ModelSpec, fault: str) -> ModelSpec:
    return replace(spec, tiny={"channels": 4, "fault": fault})


def records(kit, inputs, *targets):
    schema = Schema(structure=kit.structure, inputs=inputs, targets=targets, species=kit.species)
    return schema, kit.records(schema, torch.Generator().manual_seed(0))


@pytest.mark.parametrize("spec", [AFFINITY, GRAPH_NET], ids=lambda spec: spec.name)
def test_a_sound_model_passes_everything(spec):
    assert failures(spec) == {}


@pytest.mark.fault("F44")
@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (lying(AFFINITY, "first atom"), {"permutation"}),
        (lying(GRAPH_NET, "order of bonds"), {"permutation"}),
    ],
    ids=["first atom", "order of bonds"],
)
def test_a_lie_fails_the_check_that_is_about_it(spec, expected):
    assert expected <= set(failures(spec))


def test_a_symmetry_of_items_that_the_structure_lacks_is_a_finding():
    failed = failures(replace(GRAPH_NET, symmetry=Symmetry(permutes=("vertex",))))
    assert "records of bonds have node, edge" in failed["declaration"]


def test_renumbering_the_ligand_leaves_the_protein_in_place():
    kit = ComplexKit()
    contact = Field("contact", "ligand", Scalar(), "1")
    schema, (record, *_) = records(kit, COMPLEX_INPUTS, contact)
    ligand = record.part == 1
    order = random_permutation(int(ligand.sum()), torch.Generator().manual_seed(0))
    other = kit.renumber(schema, record, "ligand", order)
    assert torch.equal(other.part, record.part)
    assert torch.equal(other.pos[~ligand], record.pos[~ligand])
    assert torch.equal(other.pos[ligand], record.pos[ligand][order])
    assert torch.equal(other.contact, record.contact[order])


def test_renumbering_all_atoms_carries_fields_of_a_part_along():
    kit = ComplexKit()
    tag = Field("tag", "ligand", Scalar(), "1")
    schema, (record, *_) = records(kit, COMPLEX_INPUTS, tag)
    record.tag = record.pos[record.part == 1][:, 0]
    order = random_permutation(len(record.part), torch.Generator().manual_seed(1))
    other = kit.renumber(schema, record, NODE, order)
    assert torch.equal(other.tag, other.pos[other.part == 1][:, 0])


def test_protein_and_ligand_are_apart_and_mixed():
    _, found = records(ComplexKit(), COMPLEX_INPUTS)
    for record in found:
        ligand = record.part == 1
        gap = torch.cdist(record.pos[ligand], record.pos[~ligand]).min()
        assert gap > 2.9
    assert found[1].part.tolist() != sorted(found[1].part.tolist())


def test_bonds_go_both_ways_with_the_same_features():
    _, found = records(BondsKit(), BONDS_INPUTS)
    for record in found:
        half = record.edge_index.shape[1] // 2
        assert torch.equal(record.edge_index[:, :half], record.edge_index[:, half:].flip(0))
        assert torch.equal(record.edge_attr[:half], record.edge_attr[half:])


def test_disturbing_a_bond_keeps_their_number_and_both_directions():
    _, (chain, *_) = records(BondsKit(), BONDS_INPUTS)
    other = BondsKit().disturb(chain, BONDS_INPUTS[2], torch.Generator().manual_seed(0))
    assert other.edge_index.shape == chain.edge_index.shape
    assert not torch.equal(other.edge_index, chain.edge_index)
    pairs = set(map(tuple, other.edge_index.T.tolist()))
    assert pairs == {(b, a) for a, b in pairs}
