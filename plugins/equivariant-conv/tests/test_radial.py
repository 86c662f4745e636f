"""The radial basis: its limit at zero, its end at the cutoff; the network: as e3nn's."""

from __future__ import annotations

import math

import pytest
import torch
from e3nn.nn import FullyConnectedNet
from hypothesis import given
from hypothesis import strategies as st

from intertwiner_equivariant_conv import RadialBasis, RadialNetwork
from intertwiner_equivariant_conv.layers.radial import bessel, envelope


def derivatives(function: object, at: float) -> list[torch.Tensor]:
    """Value, first and second derivative of every basis function at one distance."""
    r = torch.tensor([at], dtype=torch.float64, requires_grad=True)
    value = function(r)[0]  # type: ignore[operator]
    first = [torch.autograd.grad(v, r, create_graph=True)[0] for v in value]
    second = [torch.autograd.grad(v, r, retain_graph=True)[0] for v in first]
    return [value.detach(), torch.cat(first).detach(), torch.cat(second)]


def test_limit_at_zero_with_first_and_second_derivative() -> None:
    cutoff, wave = 5.0, torch.arange(1, 9, dtype=torch.float64) * math.pi / 5.0
    value, first, second = derivatives(lambda r: bessel(r, 8, cutoff), 0.0)
    norm = math.sqrt(2 / cutoff)
    torch.testing.assert_close(value, norm * wave)
    torch.testing.assert_close(first, torch.zeros(8, dtype=torch.float64))
    torch.testing.assert_close(second, -norm * wave**3 / 3.0)


@given(st.floats(1e-6, 5.0))
def test_series_and_sine_agree_everywhere(distance: float) -> None:
    r = torch.tensor([distance], dtype=torch.float64)
    wave = torch.arange(1, 9, dtype=torch.float64) * math.pi / 5.0
    expected = math.sqrt(2 / 5.0) * torch.sin(wave * r) / r
    torch.testing.assert_close(bessel(r, 8, 5.0)[0], expected, rtol=1e-9, atol=1e-9)


def test_second_derivative_is_continuous_where_the_series_ends() -> None:
    switch = 1e-2 * 5.0 / math.pi
    below, above = (
        derivatives(lambda r: bessel(r, 1, 5.0), switch * factor)[2] for factor in (0.999, 1.001)
    )
    torch.testing.assert_close(below, above, rtol=1e-4, atol=0)


def test_value_and_two_derivatives_vanish_at_the_cutoff() -> None:
    basis = RadialBasis(8, 4.0).double()
    for values in derivatives(basis, 4.0 - 1e-9):
        assert float(values.abs().max()) < 1e-5
    assert float(basis(torch.tensor([4.0, 7.0], dtype=torch.float64)).abs().max()) == 0.0


def test_envelope_starts_at_one() -> None:
    assert float(envelope(torch.zeros(()))) == 1.0


def test_scale_makes_the_mean_square_one() -> None:
    basis, distances = RadialBasis(8, 4.0).double(), torch.rand(1000, dtype=torch.float64) * 3 + 1
    basis.set_scale(float(basis(distances).square().mean()))
    assert float(basis(distances).square().mean()) == pytest.approx(1.0)


def test_weights_are_exchangeable_with_e3nn() -> None:
    ours = RadialNetwork(8, (16, 12), 10).double()
    theirs = FullyConnectedNet([8, 16, 12, 10], torch.nn.functional.silu).double()
    for mine, layer in zip(ours.weights, theirs, strict=True):
        layer.weight.data = mine.data.clone()
    basis = torch.randn(20, 8, dtype=torch.float64)
    torch.testing.assert_close(ours(basis), theirs(basis), rtol=0, atol=1e-12)


def test_zero_basis_gives_zero_weights() -> None:
    assert not RadialNetwork(8, (16,), 10)(torch.zeros(3, 8)).any()
