"""The network of moments: equivariant, calibrated, and of the size that is claimed."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch_geometric.data import Batch

from intertwiner.fields import FACE, VERTEX, Field, Index, Irreps, Point, Scalar, Structure
from intertwiner.schema import Schema
from intertwiner_gauge_mesh.datasets import advection
from intertwiner_gauge_mesh.datasets.shapes import random_rotation
from intertwiner_gauge_mesh.layers.ambient import from_irreps, to_irreps
from intertwiner_gauge_mesh.moments.config import MomentsConfig
from intertwiner_gauge_mesh.moments.features import field_moments, shape_moments
from intertwiner_gauge_mesh.moments.network import build_network
from intertwiner_gauge_mesh.plan import MeshPlan

pytestmark = pytest.mark.filterwarnings(
    "ignore::intertwiner_gauge_mesh.errors.MeshWarning"
)  # few meshes: some of their edges are longer than nearly all others

SCHEMA = Schema(
    structure=Structure.MESH,
    inputs=(
        Field("pos", VERTEX, Point()),
        Field("face", FACE, Index(of=VERTEX)),
        Field("u", VERTEX, Scalar()),
        Field("v", VERTEX, Irreps("1o")),
    ),
    targets=(
        Field("advection", VERTEX, Scalar(), "1"),
        Field("gradient", VERTEX, Irreps("1o"), "1"),
        Field("bend", VERTEX, Irreps("0e+2e"), "1"),
    ),
)
TINY = MomentsConfig(hidden="4x0+3x1+2x2", message="3x0+2x1+2x2", products=1, blocks=2, head=(4,))


def batch() -> Batch:
    dataset = advection.synthetic(8, 0)
    records = [dataset[index] for index in (0, 3)]
    for record in records:
        draw = torch.Generator().manual_seed(1)
        record.bend = torch.randn(record.num_nodes, 6, generator=draw)
    made: Batch = Batch.from_data_list(records).apply(
        lambda x: x.double() if x.is_floating_point() else x
    )
    return made


def network() -> nn.Module:
    torch.manual_seed(0)
    made = build_network(TINY, SCHEMA).double().eval()
    made.prepare([batch()])
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return made


def test_the_output_does_not_know_how_frames_are_turned() -> None:
    made, given = network(), batch()
    before = made(given)
    draw = torch.Generator().manual_seed(2)
    given.gauge_angle = 2 * math.pi * torch.rand(len(given.pos), generator=draw).double()
    after = made(given)
    for name, value in before.items():
        torch.testing.assert_close(
            after[name], value, rtol=0, atol=1e-9 * float(value.detach().abs().max())
        )


def test_the_output_turns_with_the_mesh() -> None:
    made, given = network(), batch()
    turn = random_rotation(torch.Generator().manual_seed(4))
    moved = given.clone()
    moved.pos, moved.v = given.pos @ turn.T - 3.0, given.v @ turn.T
    before, after = made(given), made(moved)
    bend = to_irreps(turn @ from_irreps(before["bend"]) @ turn.T)
    expected = {"advection": before["advection"], "gradient": before["gradient"] @ turn.T}
    for name, value in {**expected, "bend": bend}.items():
        torch.testing.assert_close(
            after[name], value, rtol=0, atol=1e-8 * float(value.detach().abs().max())
        )


def test_leaving_transport_out_is_noticed() -> None:
    made, given = network(), batch()
    plan = made.plan(given)
    broken = MeshPlan(
        **{
            name: getattr(plan, name)
            for name in plan.__dataclass_fields__
            if name not in ("pre", "cache")
        },
        pre=torch.stack([plan.post[:, 0], -plan.post[:, 1]], 1),
    )
    features = made.inputs(given, plan)
    right, wrong = (made.trunk(features, item).detach() for item in (plan, broken))
    assert float((right - wrong).norm() / right.norm()) > 0.05


def test_a_scale_of_the_mesh_with_its_unit_changes_no_moment() -> None:
    record = batch().to_data_list()[0]
    for scale in (1.0, 7.0):
        plan = MeshPlan.from_mesh(scale * record.pos, record.face)
        found = shape_moments(plan, 0.3 * scale), field_moments(plan, record.u, 0.3 * scale)
        if scale == 1.0:
            first = found
    for one, other in zip(first, found, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-9)


def test_the_first_moment_of_a_linear_field_on_a_regular_plane_is_half_its_gradient() -> None:
    angle = math.pi / 3 * torch.arange(6).double()
    ring = torch.stack([angle.cos(), angle.sin(), torch.zeros(6)], 1)
    pos = torch.cat([torch.zeros(1, 3), ring]).double()
    face = torch.tensor([[0, 1 + k, 1 + (k + 1) % 6] for k in range(6)]).T
    plan = MeshPlan.from_mesh(pos, face)
    slope = torch.tensor([0.3, -0.8, 0.0], dtype=torch.float64)
    found = field_moments(plan, pos @ slope + 4.0, 1.0)[0]
    expected = 0.5 * plan.frame[0, :2] @ slope
    torch.testing.assert_close(found[[3, 6]], expected, rtol=0, atol=1e-12)
    assert found[:3].abs().max() < 1e-12


def test_inputs_are_bounded_however_degenerate_the_mesh() -> None:
    made, given = network(), batch()
    given.pos[::17] *= 30.0
    given.u *= 1e6
    features = made.inputs(given, made.plan(given))
    assert features.abs().max() <= 8.0


def test_preparing_makes_every_channel_of_unit_size() -> None:
    made, given = network(), batch()
    plan = made.plan(given)
    inputs = made.inputs
    scale = torch.cat(
        [
            part.repeat(2 if block.order else 1)
            for block, part in zip(
                inputs.kind.blocks, inputs.scale.split(inputs.kind.multiplicities), strict=True
            )
        ]
    )
    raw = inputs.raw(given, plan)
    raw[:, : inputs.kind.scalars] -= inputs.shift
    features = raw / scale
    kind = made.inputs.kind
    for block in kind.blocks:
        part = features[:, block.start : block.stop].reshape(len(features), -1, block.count)
        size = part.square().sum(1).mean(0)
        assert ((size - 1).abs() < 1e-6).all() or (size[(size - 1).abs() > 1e-6] < 1e-12).all()


def test_the_network_of_the_advection_recipe_has_less_than_ten_thousand_parameters() -> None:
    schema = Schema(structure=Structure.MESH, inputs=SCHEMA.inputs, targets=SCHEMA.targets[:1])
    made = build_network(MomentsConfig(), schema)
    assert sum(parameter.numel() for parameter in made.parameters()) == 8638


@pytest.mark.parametrize("vertices", [0, 3])
def test_records_without_fields_or_of_one_face_are_handled(vertices: int) -> None:
    schema = Schema(structure=Structure.MESH, inputs=SCHEMA.inputs[:2], targets=SCHEMA.targets[:1])
    made = build_network(TINY, schema)
    pos = torch.eye(3)[:, :3] if vertices else torch.zeros(0, 3)
    face = torch.tensor([[0], [1], [2]]) if vertices else torch.zeros(3, 0, dtype=torch.long)
    from torch_geometric.data import Data

    given = Batch.from_data_list([Data(pos=pos, face=face, num_nodes=vertices)])
    if vertices:
        assert torch.isfinite(made(given)["advection"]).all()
    else:
        with pytest.raises(ValueError, match="no faces"):
            made(given)
