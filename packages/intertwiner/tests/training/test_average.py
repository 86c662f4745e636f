"""The average follows the weights, forgets the first ones early, and copies buffers."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from intertwiner.training.average import averaged


def filled(value: float) -> nn.Module:
    model = nn.BatchNorm1d(2)
    fill(model, value)
    return model


def fill(model: nn.Module, value: float) -> None:
    with torch.no_grad():
        for tensor in [*model.parameters(), model.running_mean]:
            tensor.fill_(value)


def test_the_average_is_the_weighted_sum_its_formula_says():
    model, decay = filled(1.0), 0.5
    average = averaged(model, decay)
    expected = None
    for step, value in enumerate([1.0, 4.0, 2.0, 8.0]):
        fill(model, value)
        average.update()
        d = min(decay, (1 + step) / (10 + step))
        expected = value if expected is None else d * expected + (1 - d) * value
    assert average.module.weight[0].item() == pytest.approx(expected)
    assert average.module.running_mean[0].item() == 8.0
    assert model.weight[0].item() == 8.0
    assert int(average.updates) == 4


def test_no_decay_means_no_average():
    assert averaged(filled(1.0), 0.0) is None


def test_the_average_needs_no_gradient_and_keeps_its_count_when_stored():
    average = averaged(filled(1.0), 0.9)
    average.update()
    assert not any(parameter.requires_grad for parameter in average.parameters())
    assert "updates" in average.state_dict()
