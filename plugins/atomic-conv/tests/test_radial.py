"""Radial filters: values, derivatives, projection."""

from __future__ import annotations

import math

import pytest
import torch

from intertwiner_atomic_conv.errors import InvalidSetting
from intertwiner_atomic_conv.layers.radial import RadialFilters, evaluate_filters


def value(r: float, *filters: float) -> torch.Tensor:
    return evaluate_filters(
        torch.tensor([r], dtype=torch.float64),
        *(torch.tensor([f], dtype=torch.float64) for f in filters),
    ).squeeze()


@pytest.mark.parametrize(
    ("r", "filters", "expected"),
    [
        (3.0, (12.0, 0.0, 0.4), 0.023322255939),
        (3.0, (12.0, 4.0, 0.4), 0.572153948076),
        (3.0, (3.5, 0.0, 0.4), 0.001352949584),
        (4.0, (12.0, 4.0, 2.7), 0.75),
        (1.5, (1.5, 0.0, 0.4), 0.0),
    ],
)
def test_values_are_those_of_the_definition(r: float, filters: tuple, expected: float) -> None:
    assert float(value(r, *filters)) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("r", "filters", "slope", "by_cutoff"),
    [
        (3.0, (12.0, 0.0, 0.4), -0.058502499675, 0.000632271356),
        (3.0, (12.0, 4.0, 0.4), 0.395678293969, 0.015511216123),
        (4.0, (12.0, 4.0, 0.9), -0.113362460265, None),
    ],
)
def test_slopes_are_those_of_the_definition(
    r: float, filters: tuple, slope: float, by_cutoff: float | None
) -> None:
    inputs = [torch.tensor([v], dtype=torch.float64, requires_grad=True) for v in (r, *filters)]
    gradients = torch.autograd.grad(evaluate_filters(*inputs).sum(), inputs)
    assert float(gradients[0]) == pytest.approx(slope, abs=1e-11)
    if by_cutoff is not None:
        assert float(gradients[1]) == pytest.approx(by_cutoff, abs=1e-11)


@pytest.mark.parametrize("offset", [-1e-6, 0.0, 1e-6])
def test_filters_end_smoothly(offset: float) -> None:
    r = torch.tensor([5.0 + offset], dtype=torch.float64, requires_grad=True)
    filters = [torch.tensor([v], dtype=torch.float64) for v in (5.0, 3.0, 0.4)]
    found = evaluate_filters(r, *filters)
    (slope,) = torch.autograd.grad(found.sum(), r)
    assert float(found.detach()) == pytest.approx(0.0, abs=1e-12)
    assert float(slope) == pytest.approx(0.0, abs=1e-5)


def test_the_last_list_is_fastest() -> None:
    filters = RadialFilters((1.5, 2.0), (0.0, 4.0), (0.4, 1.0), reach=12.0)
    assert filters.cutoff.tolist() == [1.5] * 4 + [2.0] * 4
    assert filters.centre.tolist() == [0.0, 0.0, 4.0, 4.0] * 2
    assert filters.exponent.tolist() == pytest.approx([0.4, 1.0] * 4)


def test_projection_leaves_starting_values_and_brings_back_others() -> None:
    filters = RadialFilters((1.5, 12.0), (0.0,), (0.4,), reach=12.0)
    before = [parameter.clone() for parameter in filters.parameters()]
    filters.project()
    assert all(torch.equal(a, b) for a, b in zip(before, filters.parameters(), strict=True))
    with torch.no_grad():
        filters.cutoff.copy_(torch.tensor([-1.0, 40.0]))
        filters.exponent.fill_(-2.0)
    filters.project()
    assert filters.cutoff.tolist() == [0.5, 12.0]
    assert filters.exponent.tolist() == pytest.approx([1e-3] * 2)


@pytest.mark.parametrize(
    ("grid", "said"),
    [
        (((0.0,), (1.0,), (1.0,)), "cutoffs: 0.0"),
        (((1.0,), (1.0,), (-1.0,)), "exponents: -1.0"),
        (((), (1.0,), (1.0,)), "none may be empty"),
    ],
)
def test_impossible_grids_are_refused(grid: tuple, said: str) -> None:
    with pytest.raises(InvalidSetting, match=said):
        RadialFilters(*grid, reach=12.0)


def test_width_is_the_exponent_itself() -> None:
    deviation = math.sqrt(0.5 / 0.4)
    ratio = value(3.0 + deviation, 1e9, 3.0, 0.4) / value(3.0, 1e9, 3.0, 0.4)
    assert float(ratio) == pytest.approx(math.exp(-0.5), rel=1e-9)
