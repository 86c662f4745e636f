"""Learned baselines: what they promise to be blind to, and that they see the rest."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch_geometric.data import Batch, Data

from intertwiner.fields import FACE, VERTEX, Field, Index, Irreps, Label, Point, Scalar, Structure
from intertwiner.schema import Schema
from intertwiner_gauge_mesh.baselines.config import DiffusionConfig, GcnConfig, PointConfig
from intertwiner_gauge_mesh.baselines.diffusion import build_diffusion
from intertwiner_gauge_mesh.baselines.gcn import build_gcn, turned_batch
from intertwiner_gauge_mesh.baselines.point import build_point
from intertwiner_gauge_mesh.datasets import advection, curvature
from intertwiner_gauge_mesh.datasets.shapes import random_rotation
from intertwiner_gauge_mesh.layers.ambient import from_irreps, to_irreps

MESH = (Field("pos", VERTEX, Point()), Field("face", FACE, Index(of=VERTEX)))
CARRIED = (Field("u", VERTEX, Scalar()), Field("v", VERTEX, Irreps("1o")))
GRADIENT = Schema(
    structure=Structure.MESH,
    inputs=(*MESH, *CARRIED),
    targets=(Field("advection", VERTEX, Scalar(), "1"), Field("gradient", VERTEX, Irreps("1o"))),
)
BENT = Schema(
    structure=Structure.MESH,
    inputs=MESH,
    targets=(
        Field("shape_tensor", VERTEX, Irreps("0e+2e")),
        Field("kind", VERTEX, Label(5)),
    ),
)
Make = Callable[[Schema], nn.Module]
EQUIVARIANT: dict[str, Make] = {
    "point": lambda schema: build_point(PointConfig(channels=8, strong=True), schema),
    "diffusion": lambda schema: build_diffusion(
        DiffusionConfig(channels=8, blocks=2, eigenpairs=16, signatures=4), schema
    ),
}
ALL = {**EQUIVARIANT, "gcn": lambda schema: build_gcn(GcnConfig(channels=8), schema)}


def batch(schema: Schema) -> Batch:
    source = advection if schema is GRADIENT else curvature
    dataset = source.synthetic(8, 0)
    records = [dataset[index] for index in (0, 3)]
    for record in records:
        record.kind = torch.arange(record.num_nodes) % 5
    made: Batch = Batch.from_data_list(records).apply(
        lambda x: x.double() if x.is_floating_point() else x
    )
    return made


def network(make: Make, schema: Schema) -> nn.Module:
    torch.manual_seed(0)
    made = make(schema).double().eval()
    made.prepare([batch(schema)])
    return made


def tensors(values: Tensor) -> Tensor:
    return from_irreps(values)


@pytest.mark.parametrize("name", EQUIVARIANT)
def test_turning_the_mesh_turns_vectors_and_tensors_and_leaves_scalars(name: str) -> None:
    turn = random_rotation(torch.Generator().manual_seed(4))
    for schema in (GRADIENT, BENT):
        made, given = network(EQUIVARIANT[name], schema), batch(schema)
        moved = given.clone()
        moved.pos = given.pos @ turn.T + 2.0
        if schema is GRADIENT:
            moved.v = given.v @ turn.T
        before, after = made(given), made(moved)
        for field in schema.targets:
            expected = before[field.name]
            if field.name == "gradient":
                expected = expected @ turn.T
            elif field.name == "shape_tensor":
                expected = to_irreps(turn @ tensors(expected) @ turn.T)
            torch.testing.assert_close(after[field.name], expected, rtol=0, atol=1e-6)
            assert expected.abs().max() > 1e-3


@pytest.mark.parametrize("name", ALL)
def test_a_mesh_alone_gives_what_it_gives_in_a_batch(name: str) -> None:
    made, given = network(ALL[name], GRADIENT), batch(GRADIENT)
    together = made(given)["gradient"]
    alone = [made(Batch.from_data_list([item]))["gradient"] for item in given.to_data_list()]
    torch.testing.assert_close(torch.cat(alone), together, rtol=0, atol=1e-10)


@pytest.mark.parametrize("name", ALL)
def test_renumbering_the_vertices_renumbers_the_output(name: str) -> None:
    made, record = network(ALL[name], GRADIENT), batch(GRADIENT).to_data_list()[0]
    order = torch.randperm(record.num_nodes, generator=torch.Generator().manual_seed(1))
    place = torch.empty_like(order)
    place[order] = torch.arange(len(order))
    mixed = Data(
        pos=record.pos[order],
        face=place[record.face],
        u=record.u[order],
        v=record.v[order],
        num_nodes=len(order),
    )
    found = made(Batch.from_data_list([mixed]))["advection"]
    expected = made(Batch.from_data_list([record]))["advection"][order]
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", ALL)
def test_every_input_is_seen_and_every_parameter_learns(name: str) -> None:
    made, given = network(ALL[name], GRADIENT), batch(GRADIENT)
    before = made(given)["advection"]
    for field in ("u", "v"):
        other = given.clone()
        other[field] = given[field].roll(7, 0)
        assert (made(other)["advection"] - before).abs().max() > 1e-4 * before.abs().max()
    loss = sum(value.square().mean() for value in made(given).values())
    loss.backward()
    for key, parameter in made.named_parameters():
        assert parameter.grad is not None, key
        assert torch.isfinite(parameter.grad).all(), key


def test_the_isotropic_network_learns_from_turned_meshes_with_turned_targets() -> None:
    given = batch(BENT)
    torch.manual_seed(3)
    turned = turned_batch(given, BENT)
    turn = torch.linalg.lstsq(given.pos, turned.pos).solution.T
    torch.testing.assert_close(turn @ turn.T, torch.eye(3, dtype=torch.float64))
    expected = to_irreps(turn @ tensors(given.shape_tensor) @ turn.T)
    torch.testing.assert_close(turned.shape_tensor, expected, rtol=0, atol=1e-10)
    made = network(ALL["gcn"], BENT).train()
    torch.manual_seed(3)
    loss = made.training_loss(given)
    assert loss > 0
    made.eval()
    assert made.training_loss(given) == made.training_loss(given)


def test_diffusion_for_a_long_time_leaves_the_mean_of_every_mesh() -> None:
    made, given = network(EQUIVARIANT["diffusion"], GRADIENT), batch(GRADIENT)
    made(given)
    from intertwiner_gauge_mesh.baselines.diffusion import _diffused

    item = made._spectra[0]
    h = torch.randn(len(item.mass), 2, generator=torch.Generator().manual_seed(1)).double()
    found = _diffused(h, item, torch.full((2,), 1e6).double())
    mean = (item.mass[:, None] * h).sum(0) / item.mass.sum()
    torch.testing.assert_close(found, mean.expand_as(found), rtol=0, atol=1e-8)
