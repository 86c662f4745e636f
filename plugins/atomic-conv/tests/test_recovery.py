"""The figures of the recovery: 1 for the true curves, far less for those of other elements."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from intertwiner_atomic_conv.affinity import KCAL_PER_PK
from intertwiner_atomic_conv.curves import PairValues
from intertwiner_atomic_conv.datasets.pair_energy import ELEMENTS, pair_energy
from intertwiner_atomic_conv.pair_picture import draw_pairs
from intertwiner_atomic_conv.recovery_report import _grid, _recovery


def true_curves() -> dict[tuple[int, int], np.ndarray]:
    grid = _grid().double().numpy()
    return {
        (a, b): np.where(
            grid < 7.0, pair_energy(grid, np.full(len(grid), i), np.full(len(grid), j)), 0.0
        )
        for i, a in enumerate(ELEMENTS)
        for j, b in enumerate(ELEMENTS)
    }


def pairs(count: int = 4000) -> PairValues:
    generator = np.random.default_rng(0)
    kinds = generator.integers(0, 4, (2, count))
    r = generator.uniform(2.6, 7.9, count)
    energy = np.where(r < 7.0, pair_energy(r, *kinds), 0.0)
    columns = (*(np.array(ELEMENTS)[kind] for kind in kinds), r, -energy / KCAL_PER_PK)
    return PairValues(*map(torch.from_numpy, columns))


def test_the_true_interaction_is_recognised_and_another_is_not() -> None:
    labels = np.random.default_rng(1).normal(size=50)
    found = _recovery(labels, labels, pairs(), true_curves())
    assert found.held_out == 1.0
    assert found.curve == pytest.approx(1.0, abs=1e-3)
    assert found.context == pytest.approx(1.0, abs=1e-9)
    assert found.shuffled < 0.5
    assert found.wells < 0.01


def test_the_picture_is_written(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    path = draw_pairs(true_curves(), pairs(), tmp_path / "pairs.png")
    assert path.read_bytes().startswith(b"\x89PNG")
