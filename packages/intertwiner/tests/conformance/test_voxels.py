"""Voxels: rotations of the grid act on fields as they should; a free kernel is found out."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from conformance_toys.checking import cases_of, failures

from intertwiner.conformance.groups import octahedral_rotations
from intertwiner.conformance.run import run_case
from intertwiner.conformance.structures.voxels import SIDE, VoxelsKit, turn_grid
from intertwiner.fields import (
    ANY_NAME,
    GRAPH,
    VOXEL,
    Field,
    Irreps,
    Scalar,
    Structure,
    Symmetry,
)
from intertwiner.schema import Schema
from intertwiner.specs import ModelSpec

DENSITY = Field("density", VOXEL, Scalar(2))
SPEC = ModelSpec(
    name="volume-net",
    summary="Radial kernels",
    target="conformance_toys.volume:VolumeNet",
    config="conformance_toys.config:DistanceNetConfig",
    reads=Structure.VOXELS,
    inputs=(DENSITY,),
    outputs=(
        Field(ANY_NAME, GRAPH, Scalar()),
        Field(ANY_NAME, VOXEL, Irreps("1o")),
        Field(ANY_NAME, VOXEL, Scalar()),
    ),
    symmetry=Symmetry(grid="octahedral", permutes=()),
    tiny={"channels": 3},
)


def test_a_sound_model_of_volumes_passes_everything():
    outcomes = [run_case(case) for case in cases_of(SPEC)]
    assert not [str(outcome) for outcome in outcomes if outcome.status == "failed"]
    passed = {o.case.check.partition(" of ")[0] for o in outcomes if o.status == "passed"}
    assert {"grid", "batching", "reaction", "checkpoint"} <= passed


@pytest.mark.fault("F44")
def test_a_kernel_that_is_free_is_found_out_by_the_rotations_of_the_grid():
    failed = failures(replace(SPEC, tiny={"channels": 3, "fault": "free kernel"}))
    assert set(failed) == {"grid"}
    assert "a rotation of the grid" in failed["grid"]


def test_symmetry_between_the_rotations_of_the_grid_is_said_to_be_untested():
    spec = replace(SPEC, symmetry=Symmetry(space="SE(3)", permutes=(), exact=False))
    reasons = {run_case(case).reason for case in cases_of(spec)}
    assert any("up to its discretisation only" in reason for reason in reasons)


def test_turning_a_field_carries_each_voxel_to_its_new_place():
    kit, generator = VoxelsKit(), torch.Generator().manual_seed(0)
    flow = Field("flow", VOXEL, Irreps("1o"), "1")
    schema = Schema(structure=Structure.VOXELS, inputs=(flow,), targets=())
    record = kit.records(schema, generator)[0]
    middle, place = (SIDE - 1) // 2, torch.tensor([3.0, -2.0, 5.0]).double()
    for rotation in octahedral_rotations():
        turned = kit.turned(schema, record, rotation).flow
        x, y, z = (place + middle).long().tolist()
        a, b, c = (rotation @ place + middle).round().long().tolist()
        expected = rotation @ record.flow[0, :, x, y, z]
        torch.testing.assert_close(turned[0, :, a, b, c], expected)


def test_turning_twice_is_turning_by_the_product():
    values = torch.randn(1, 8, 5, 5, 5, generator=torch.Generator().manual_seed(0)).double()
    rep = Irreps("1o+1x2e")
    one, other = octahedral_rotations()[5], octahedral_rotations()[14]
    twice = turn_grid(rep, turn_grid(rep, values, one), other)
    torch.testing.assert_close(twice, turn_grid(rep, values, other @ one))
