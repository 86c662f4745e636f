"""The radial table: its errors, its smoothness, its ends, and its gradient."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from intertwiner_equivariant_conv import RadialBasis, RadialNetwork
from intertwiner_equivariant_conv.layers.hermite import HERMITE
from intertwiner_equivariant_conv.layers.radial_table import (
    EdgeDistances,
    build_table,
    place,
    table_error,
)

CUTOFF = 4.0
BOUNDS = {
    (3, 256): (3e-5, 3e-3),
    (3, 512): (2e-6, 4e-4),
    (3, 1024): (2e-7, 5e-5),
    (5, 128): (6e-6, 4e-4),
    (5, 256): (1e-7, 1e-5),
    (5, 512): (2e-9, 4e-7),
}
"""(degree, knots) -> largest error of value and derivative, relative to their spread."""


def make_network(outputs: int = 24, factor: float = 1.0) -> tuple[RadialNetwork, RadialBasis]:
    network = RadialNetwork(8, (64, 64), outputs).double()
    with torch.no_grad():
        for weight in network.weights:
            weight.mul_(factor)
    return network, RadialBasis(8, CUTOFF).double()


def interpolate(
    network: RadialNetwork, basis: RadialBasis, r: Tensor, knots: int, degree: int = 5
) -> Tensor:
    placed = place(r, basis.cutoff, knots, degree)
    table = build_table(network, basis, knots, degree, placed.occupied)
    return torch.einsum("eq,eqw->ew", placed.powers, table[placed.row])


def with_slope(function: object, r: Tensor) -> tuple[Tensor, Tensor]:
    """Values and derivatives, output by output, at distances r."""
    r = r.detach().requires_grad_()
    value = function(r)  # type: ignore[operator]
    slopes = [torch.autograd.grad(column.sum(), r, retain_graph=True)[0] for column in value.T]
    return value.detach(), torch.stack(slopes, 1)


@pytest.mark.parametrize(("degree", "knots"), BOUNDS)
def test_errors_of_value_and_derivative_are_within_bounds(degree: int, knots: int) -> None:
    network, basis = make_network()
    r = torch.linspace(0.6, CUTOFF - 1e-6, 4001, dtype=torch.float64)
    exact = with_slope(lambda r: network(basis(r)), r)
    found = with_slope(lambda r: interpolate(network, basis, r, knots, degree), r)
    for ours, theirs, bound in zip(found, exact, BOUNDS[degree, knots], strict=True):
        assert float((ours - theirs).abs().max() / theirs.std()) < bound
        assert float((ours - theirs).abs().max()) > 0.0


def test_estimated_error_is_the_largest_there_is() -> None:
    network, basis = make_network()
    r = torch.linspace(0.0, CUTOFF - 1e-9, 20001, dtype=torch.float64)
    exact = with_slope(lambda r: network(basis(r)), r)
    for degree, knots in ((3, 128), (5, 96)):
        found = with_slope(lambda r, k=knots, d=degree: interpolate(network, basis, r, k, d), r)
        for ours, theirs, estimate in zip(
            found, exact, table_error(network, basis, knots, degree), strict=True
        ):
            error = (ours - theirs).abs().max() / theirs.square().mean().sqrt()
            assert 0.8 < estimate / float(error) < 1.2


@pytest.mark.parametrize("degree", [3, 5])
def test_value_and_derivative_do_not_jump_at_knots(degree: int) -> None:
    network, basis = make_network()
    knots, step = 64, CUTOFF / 63
    inner = torch.arange(1, knots - 1, dtype=torch.float64) * step
    sides = [
        with_slope(lambda r: interpolate(network, basis, r, knots, degree), inner + shift)
        for shift in (-1e-13, 1e-13)
    ]
    for below, above in zip(*sides, strict=True):
        assert float((below - above).abs().max() / above.abs().max()) < 1e-10


def lagrange(network: RadialNetwork, basis: RadialBasis, r: Tensor, knots: int) -> Tensor:
    """A cubic through the four knots around an interval: the planted bug."""
    step = basis.cutoff / (knots - 1)
    index = (r.detach() / step).long().clamp(1, knots - 3)
    t = r / step - index
    weights = [
        -t * (t - 1) * (t - 2) / 6,
        (t + 1) * (t - 1) * (t - 2) / 2,
        -(t + 1) * t * (t - 2) / 2,
        (t + 1) * t * (t - 1) / 6,
    ]
    values = network(basis(torch.arange(knots, dtype=torch.float64) * step))
    return sum(w[:, None] * values[index + n - 1] for n, w in enumerate(weights))  # type: ignore[return-value]


def test_lagrange_interpolation_would_be_caught() -> None:
    network, basis = make_network()
    knots = 64
    inner = torch.arange(4, knots - 4, dtype=torch.float64) * CUTOFF / (knots - 1)
    below, above = (
        with_slope(lambda r: lagrange(network, basis, r, knots), inner + shift)[1]
        for shift in (-1e-13, 1e-13)
    )
    assert float((below - above).abs().max() / above.abs().max()) > 1e-5


@pytest.mark.parametrize("degree", [3, 5])
def test_the_zero_distance_is_finite_and_right(degree: int) -> None:
    network, basis = make_network()
    r = torch.tensor([0.0, 1e-9, 1e-3], dtype=torch.float64)
    exact = with_slope(lambda r: network(basis(r)), r)
    found = with_slope(lambda r: interpolate(network, basis, r, 512, degree), r)
    for ours, theirs in zip(found, exact, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_weights_and_slopes_are_zero_at_the_cutoff_and_beyond(dtype: torch.dtype) -> None:
    network, basis = (module.to(dtype) for module in make_network())
    r = torch.tensor([CUTOFF, CUTOFF + 1e-6, 7.0, 1e30], dtype=dtype)
    value, slope = with_slope(lambda r: interpolate(network, basis, r, 128), r)
    assert not value.any()
    assert not slope.any()
    near = torch.tensor([CUTOFF * (1 - 1e-6)], dtype=dtype)
    with torch.no_grad():
        scale = float(network(basis(torch.ones(1, dtype=dtype))).abs().max())
        assert float(interpolate(network, basis, near, 128).abs().max()) < 1e-5 * scale


def test_gradient_with_respect_to_the_network_is_that_of_the_exact_path() -> None:
    network, basis = make_network()
    r = torch.rand(200, dtype=torch.float64) * 3.2 + 0.7
    direction = torch.randn(200, 24, dtype=torch.float64)
    weights = list(network.parameters())
    exact = torch.autograd.grad((network(basis(r)) * direction).sum(), weights)
    found = torch.autograd.grad((interpolate(network, basis, r, 512) * direction).sum(), weights)
    for ours, theirs in zip(found, exact, strict=True):
        assert float((ours - theirs).abs().max() / theirs.abs().max()) < 1e-7


@pytest.mark.parametrize("degree", [3, 5])
def test_gradients_of_the_table_are_right_twice(degree: int) -> None:
    basis, occupied = RadialBasis(3, CUTOFF).double(), torch.tensor([1, 2, 4])
    start = RadialNetwork(3, (4, 5), 2).double()
    weights = [weight.detach().requires_grad_() for weight in start.weights]

    def build(*weights: Tensor) -> Tensor:
        network = cast(RadialNetwork, SimpleNamespace(weights=weights))
        return build_table(network, basis, 7, degree, occupied)

    assert torch.autograd.gradcheck(build, weights)
    assert torch.autograd.gradgradcheck(build, weights)


def test_single_precision_is_as_precise_as_the_exact_network() -> None:
    network, basis = make_network()
    r = torch.rand(2000, dtype=torch.float64) * 3.2 + 0.7
    exact = with_slope(lambda r: network(basis(r)), r.float().double())
    network, basis = network.float(), basis.float()
    found = with_slope(lambda r: interpolate(network, basis, r, 256), r.float())
    for ours, theirs, bound in zip(found, exact, (1e-6, 2e-6), strict=True):
        assert float((ours - theirs).abs().max() / theirs.abs().max()) < bound


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0.0, 6.0), min_size=1, max_size=30), st.sampled_from([16, 128]))
def test_rows_left_out_change_nothing(distances: list[float], knots: int) -> None:
    network, basis = make_network(outputs=3)
    r = torch.tensor(distances, dtype=torch.float64)
    placed = place(r, CUTOFF, knots, 5)
    assert len(placed.occupied) <= min(len(r), knots - 1)
    assert int(placed.row.max()) <= len(placed.occupied)
    whole = build_table(network, basis, knots)
    assert len(whole) == knots
    number = (r * ((knots - 1) / CUTOFF)).floor().long().clamp(max=knots - 1)
    expected = torch.einsum("eq,eqw->ew", placed.powers, whole[number])
    torch.testing.assert_close(interpolate(network, basis, r, knots), expected)


def test_no_edges_give_a_table_of_one_row_of_zeros() -> None:
    network, basis = make_network()
    placed = place(torch.zeros(0), CUTOFF, 128, 5)
    table = build_table(network, basis, 128, 5, placed.occupied)
    assert table.shape == (1, 6, 24)
    assert not table.any()


def test_layers_share_places_and_basis() -> None:
    edges = EdgeDistances(RadialBasis(8, CUTOFF), torch.rand(10))
    assert edges.placed(128, 5) is edges.placed(128, 5)
    assert edges.placed(256, 5) is not edges.placed(128, 5)
    assert edges.values() is edges.values()


@pytest.mark.parametrize("degree", [3, 5])
def test_hermite_rows_reproduce_monomials(degree: int) -> None:
    matrix = torch.tensor(HERMITE[degree], dtype=torch.float64)
    for power in range(degree + 1):
        ends = [
            float(torch.tensor(t, dtype=torch.float64) ** max(power - order, 0))
            * [1, power, power * (power - 1)][order]
            * (power >= order)
            for t in (0.0, 1.0)
            for order in range((degree + 1) // 2)
        ]
        expected = torch.zeros(degree + 1, dtype=torch.float64)
        expected[power] = 1.0
        torch.testing.assert_close(matrix @ torch.tensor(ends, dtype=torch.float64), expected)
