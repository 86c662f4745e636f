"""Controls by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch_geometric.data import Data

from intertwiner_equivariant_conv.layers.readout import DEBYE
from intertwiner_equivariant_conv.studies.controls import (
    COMPOSITION,
    MEAN,
    point_charge_control,
    scalar_controls,
)


def record(numbers: list[int], label: float) -> Data:
    return Data(z=torch.tensor(numbers), label=torch.tensor([label]))


def test_the_composition_fit_finds_a_sum_over_atoms_and_the_mean_does_not() -> None:
    training = [record([1] * n + [6] * m, 2.0 * n - 3.0 * m + 5.0) for n in (1, 2) for m in (0, 1)]
    test = [record([1, 1, 1, 6], 8.0), record([6, 6], -1.0)]
    found = scalar_controls(training, test, ("label",), (1, 6))
    assert found[COMPOSITION]["label"] == pytest.approx(0.0, abs=1e-9 + 1e-6)
    mean = (7.0 + 4.0 + 9.0 + 6.0) / 4
    assert found[MEAN]["label"] == pytest.approx((abs(8.0 - mean) + abs(-1.0 - mean)) / 2)


def test_labels_that_are_missing_are_left_out() -> None:
    training = [record([1], 1.0), record([6], 3.0), record([1, 6], math.nan)]
    test = [record([1], 5.0), record([6], math.nan)]
    found = scalar_controls(training, test, ("label",), (1, 6))
    assert found[MEAN]["label"] == pytest.approx(3.0)
    assert found[COMPOSITION]["label"] == pytest.approx(4.0)


def test_the_moment_of_point_charges_by_hand() -> None:
    record = Data(
        pos=torch.tensor([[0.0, 0.0, 0.0], [0.0, 0.0, 2.0]]),
        charges=torch.tensor([-0.5, 0.5]),
        dipole=torch.tensor([[3.0, 0.0, DEBYE]]),
    )
    length, component = point_charge_control([record])
    assert length == pytest.approx(math.hypot(3.0, DEBYE) - DEBYE, rel=1e-6)
    assert component == pytest.approx(1.0, rel=1e-6)
