"""The molecules that models are tested on, and what breaks which promise on them."""

from __future__ import annotations

import pytest
import torch
from conformance_toys.honest import INPUTS
from hypothesis import given, settings
from hypothesis import strategies as st

from intertwiner.conformance.findings import NotCovered
from intertwiner.conformance.groups import random_permutation, reflections, rotations, translation
from intertwiner.conformance.structures import kit_for
from intertwiner.conformance.structures.asymmetries import ASYMMETRIES
from intertwiner.conformance.structures.atoms import AtomsKit, random_cluster
from intertwiner.fields import GRAPH, NODE, Field, Irreps, Label, Scalar, Structure
from intertwiner.schema import Schema

TARGETS = (Field("dipole", GRAPH, Irreps("1o"), "D"), Field("charge", NODE, Scalar(), "e"))
SCHEMA = Schema(structure=Structure.ATOMS, inputs=INPUTS, targets=TARGETS, species=(1, 6, 7, 8))
KIT = AtomsKit()


def records():
    return KIT.records(SCHEMA, torch.Generator().manual_seed(0))


def asymmetry(name, found):
    return ASYMMETRIES[name](KIT.batch(found, torch.float64))


def moved(motion):
    return [KIT.move(SCHEMA, record, motion) for record in records()]


def renumbered():
    generator = torch.Generator().manual_seed(0)
    return [
        KIT.renumber(SCHEMA, r, NODE, random_permutation(r.num_nodes, generator)) for r in records()
    ]


ROTATED = rotations(torch.Generator().manual_seed(0))[0]
MIRRORED = reflections(torch.Generator().manual_seed(0))[-1]
SHIFTED = translation((3.0, 0.0, 0.0))
CHANGES = {
    "rotation": moved(ROTATED),
    "reflection": moved(MIRRORED),
    "translation": moved(SHIFTED),
    "permutation": renumbered(),
}
BREAKS = {
    "place": {"rotation", "reflection", "translation"},
    "axis": {"rotation", "reflection"},
    "handedness": {"reflection"},
    "numbering": {"permutation"},
    "company": set(),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", ASYMMETRIES)
def test_an_asymmetry_breaks_its_promise_and_no_other(name, change):
    difference = (asymmetry(name, CHANGES[change]) - asymmetry(name, records())).abs().max()
    assert (difference > 1e-2) == (change in BREAKS[name])


def test_company_breaks_the_independence_of_a_batch():
    alone = asymmetry("company", records()[:1])
    assert (asymmetry("company", records())[0] - alone).abs() > 1e-2


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 8), st.integers(0, 1000))
def test_atoms_of_a_cluster_keep_their_distance_and_have_a_neighbour(count, seed):
    pos = random_cluster(count, torch.Generator().manual_seed(seed))
    distances = torch.cdist(pos, pos) + 100 * torch.eye(count)
    assert distances.min() > 0.899
    assert count == 1 or distances.min(1).values.max() < 1.602


def test_float32_holds_positions_exactly_even_100_angstrom_away():
    for record in moved(translation((64.0, -48.0, 60.0))):
        assert torch.equal(record.pos.float().double(), record.pos)


def test_degenerate_molecules_are_among_the_records():
    names = {record.name: record.num_nodes for record in records()}
    assert names["single atom"] == 1
    assert names["two atoms"] == 2
    assert "three atoms on a line" in names


def test_records_carry_every_declared_field():
    for record in records():
        assert record.dipole.shape == (1, 3)
        assert record.charge.shape == (record.num_nodes,)


def test_moving_turns_vectors_about_the_origin_and_leaves_labels():
    record, turned = records()[0], CHANGES["rotation"][0]
    torch.testing.assert_close(turned.dipole, record.dipole @ ROTATED.matrix.T)
    assert torch.equal(turned.z, record.z)


def test_renumbering_carries_all_fields_of_the_site_along():
    record = records()[0]
    order = torch.tensor([4, 3, 2, 1, 0])
    other = KIT.renumber(SCHEMA, record, NODE, order)
    assert torch.equal(other.pos, record.pos.flip(0))
    assert torch.equal(other.charge, record.charge.flip(0))
    assert torch.equal(other.dipole, record.dipole)


def test_disturbing_a_label_changes_every_one_of_them():
    record = records()[2]
    other = KIT.disturb(record, INPUTS[1], torch.Generator().manual_seed(0))
    assert bool((other.z != record.z).all())
    assert set(other.z.tolist()) <= {1, 6, 7, 8}


def test_disturbing_points_is_not_a_motion():
    record = records()[0]
    other = KIT.disturb(record, INPUTS[0], torch.Generator().manual_seed(0))
    assert (torch.cdist(other.pos, other.pos) - torch.cdist(record.pos, record.pos)).abs().max() > 0


def test_a_closed_label_takes_its_own_classes():
    residue = Field("residue", NODE, Label(3))
    schema = Schema(structure=Structure.ATOMS, inputs=(*INPUTS, residue), targets=())
    found = KIT.records(schema, torch.Generator().manual_seed(0))
    assert {int(label) for record in found for label in record.residue} == {0, 1, 2}


def test_positions_that_are_not_points_are_refused():
    schema = Schema(
        structure=Structure.ATOMS, inputs=(Field("pos", NODE, Irreps("1o")),), targets=()
    )
    with pytest.raises(NotCovered, match="pos is a point per node"):
        KIT.records(schema, torch.Generator())


def test_a_structure_without_a_kit_says_so():
    with pytest.raises(NotCovered, match="no conformance kit is written for file yet"):
        kit_for(Structure.FILE)
