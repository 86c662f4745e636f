"""Generated datasets: the targets are what they claim, and no part knows another."""

from __future__ import annotations

import math

import pytest
import torch

from intertwiner_gauge_mesh.datasets import advection, curvature
from intertwiner_gauge_mesh.datasets.config import AdvectionConfig, CurvatureConfig
from intertwiner_gauge_mesh.datasets.shapes import random_shape
from intertwiner_gauge_mesh.layers.ambient import from_irreps
from intertwiner_gauge_mesh.plan import MeshPlan

SMALL = {"vertices": 162, "training_shapes": 4, "other_shapes": 2}


def test_the_advection_target_is_the_difference_of_the_scalar_along_the_flow() -> None:
    shape = random_shape("sphere", 162, "regular", 3)
    record = advection.advection_record(shape, 11, "one")
    wave, phase, _, _ = advection._draw(torch.Generator().manual_seed(11))
    step = 1e-4
    ahead = shape.points + step * record.v.double()
    behind = shape.points - step * record.v.double()
    slope = (torch.sin(ahead @ wave + phase) - torch.sin(behind @ wave + phase)) / (2 * step)
    torch.testing.assert_close(record.advection.double(), -slope, rtol=0, atol=2e-5)
    torch.testing.assert_close(
        -(record.v * record.gradient).sum(1), record.advection, rtol=0, atol=1e-5
    )
    assert (record.v.double() * shape.normals).sum(1).abs().max() < 1e-6


@pytest.mark.parametrize("kind", ["sphere", "torus"])
def test_the_curvature_target_is_twice_the_angle_in_the_frame_of_the_mesh(kind: str) -> None:
    shape = random_shape(kind, 162, "jittered", 4)
    record = curvature.curvature_record(shape, 5, "one", 0.1)
    plan = MeshPlan.from_mesh(record.pos, record.face)
    x, y = plan.frame[:, 0].double(), plan.frame[:, 1].double()
    b = shape.shape_tensors
    real = (torch.einsum("vi,vij,vj->v", x, b, x) - torch.einsum("vi,vij,vj->v", y, b, y)) / 2
    imaginary = torch.einsum("vi,vij,vj->v", x, b, y)
    tensor = from_irreps(torch.nn.functional.pad(record.principal.double(), (1, 0)))
    torch.testing.assert_close(torch.einsum("vi,vij,vj->v", x, tensor, x), real, rtol=0, atol=1e-5)
    torch.testing.assert_close(
        torch.einsum("vi,vij,vj->v", x, tensor, y), imaginary, rtol=0, atol=1e-5
    )
    size = (real**2 + imaginary**2).sqrt()
    found = record.principal.norm(dim=1).double()
    torch.testing.assert_close(found, math.sqrt(2) * size, rtol=0, atol=1e-5)


def test_noise_moves_the_vertices_and_not_the_targets() -> None:
    shape = random_shape("sphere", 162, "regular", 4)
    clean, noisy = (curvature.curvature_record(shape, 5, "one", noise) for noise in (0.0, 0.3))
    moved = (noisy.pos - clean.pos).std() / shape.mean_edge
    assert 0.25 < float(moved) < 0.35
    assert torch.equal(clean.shape_tensor, noisy.shape_tensor)
    assert torch.equal(clean.mean_curvature, noisy.mean_curvature)


def test_no_two_parts_share_a_shape_and_remeshed_shapes_are_those_of_the_test() -> None:
    dataset = advection.load(AdvectionConfig(**SMALL, fields=2))
    split, remeshed = dataset.splits["random"], dataset.splits["remeshed"]
    seeds = {
        part: {dataset.records.recipes[index][3] for index in rows} for part, rows in split.items()
    }
    assert not seeds["train"] & (seeds["validation"] | seeds["test"])
    assert not seeds["validation"] & seeds["test"]
    assert {dataset.records.recipes[index][3] for index in remeshed["test"]} == seeds["test"]
    plain, other = dataset[int(split["test"][0])], dataset[int(remeshed["test"][0])]
    assert plain.pos.shape == other.pos.shape
    assert not torch.equal(plain.face, other.face)
    assert set(remeshed["train"]) == set(split["train"])
    jittered = dataset.splits["jittered"]["test"]
    assert {dataset.records.recipes[index][3] for index in jittered} == seeds["test"]
    assert dataset[int(jittered[0])].name.startswith("jittered")


def test_another_seed_makes_other_shapes_and_the_same_seed_the_same() -> None:
    first, second, other = (
        advection.load(AdvectionConfig(**SMALL, seed=seed))[0] for seed in (0, 0, 1)
    )
    assert torch.equal(first.pos, second.pos)
    assert torch.equal(first.u, second.u)
    assert not torch.equal(first.pos, other.pos)


@pytest.mark.parametrize("kind", ["sphere", "torus", "both"])
def test_every_shape_of_dataset_is_a_sound_mesh(kind: str) -> None:
    dataset = curvature.load(CurvatureConfig(**SMALL, shape=kind, triangulation="both"))
    for record in dataset:
        plan = MeshPlan.from_mesh(record.pos, record.face, strict=True)
        assert not plan.boundary.any()
        assert torch.isfinite(record.principal).all()


def test_shuffled_records_have_the_targets_of_another_shape_in_training_only() -> None:
    plain, shuffled = (
        advection.load(AdvectionConfig(**SMALL, fields=2, shuffled=flag)) for flag in (False, True)
    )
    for index in plain.splits["random"]["train"]:
        assert torch.equal(plain[index].u, shuffled[index].u)
        assert not torch.equal(plain[index].advection, shuffled[index].advection)
    index = int(plain.splits["random"]["test"][0])
    assert torch.equal(plain[index].advection, shuffled[index].advection)
