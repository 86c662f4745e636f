"""Digits on rough grids."""

from __future__ import annotations

import pytest
import torch

from intertwiner_gauge_mesh.datasets import digits
from intertwiner_gauge_mesh.datasets.config import RoughDigitsConfig
from intertwiner_gauge_mesh.plan import MeshPlan


def test_a_grid_without_roughness_is_flat_and_rougher_ones_bend_more() -> None:
    bends = []
    for roughness in (0.0, 0.5, 1.5, 2.5):
        grid = digits.rough_grid(14, roughness, 1)
        steps = grid.reshape(14, 14, 3)[1:, :, 2] - grid.reshape(14, 14, 3)[:-1, :, 2]
        bends.append(float(steps.square().mean().sqrt()))
    assert bends[0] == 0
    assert bends == sorted(bends)


def test_training_and_test_digits_lie_on_other_geometries() -> None:
    dataset = digits.synthetic(60, 0)
    split = dataset.splits["random"]
    shapes = {
        part: {dataset[int(n)].pos.numpy().tobytes() for n in rows} for part, rows in split.items()
    }
    assert not shapes["train"] & shapes["test"]
    record = dataset[0]
    plan = MeshPlan.from_mesh(record.pos, record.face)
    assert int(plan.boundary.sum()) == 4 * 7
    assert record.digit.shape == (1,)


def test_the_digits_of_scikit_learn_are_there_where_it_is() -> None:
    pytest.importorskip("sklearn", reason="extra 'digits' is not installed")
    dataset = digits.load(RoughDigitsConfig(digits=50, geometries=2))
    assert len(dataset) == 50
    assert dataset[0].ink.shape == (196,)
    assert 0.5 < float(dataset[0].ink.max()) <= 1.0
    again = digits.load(RoughDigitsConfig(digits=50, geometries=2))
    assert torch.equal(dataset[0].pos, again[0].pos)
