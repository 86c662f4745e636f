"""Radial functions and activations of the paper's network: published values and constants."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from intertwiner_equivariant_conv.paper import config
from intertwiner_equivariant_conv.paper.gate import gate
from intertwiner_equivariant_conv.paper.radial import (
    BASES,
    HiddenRadial,
    bessel,
    cosine,
    gaussian,
    softplus,
)

pytestmark = pytest.mark.usefixtures("double_default")

NUMBER, CUTOFF = 50, 10.0
SHIFT = math.log(2.0) / 5.0


def second_moment(function: Callable[[Tensor], Tensor]) -> float:
    """Of f(x) for x from N(0, 1), by the trapezoidal rule, which converges exponentially here."""
    x = torch.linspace(-12, 12, 40_001)
    weight = torch.exp(-0.5 * x.square()) / math.sqrt(2 * math.pi)
    return float((function(x).square() * weight).sum() * (x[1] - x[0]))


@pytest.mark.parametrize(
    ("scale", "function", "rounded"),
    [
        (config.HIDDEN_SCALE, lambda x: softplus(x) - SHIFT, 1.564307),
        (config.SCALAR_SCALE, softplus, 1.404383),
        (config.GATE_SCALE, torch.sigmoid, 1.84623),
    ],
)
def test_constants_make_the_second_moment_one(
    scale: float, function: Callable[[Tensor], Tensor], rounded: float
) -> None:
    assert scale**2 * second_moment(function) == pytest.approx(1.0, abs=1e-12)
    assert scale == pytest.approx(rounded, abs=2e-6)


def test_softplus_is_exact_far_out_with_its_derivatives() -> None:
    x = torch.tensor([-30.0, -3.0, 0.0, 3.0, 7.0, 9.0, 40.0], requires_grad=True)
    expected = torch.logaddexp(torch.zeros(()), 5 * x.detach()) / 5
    torch.testing.assert_close(softplus(x), expected, rtol=1e-14, atol=0)
    assert torch.autograd.gradgradcheck(lambda y: softplus(y), (x[1:6].detach().requires_grad_(),))


@given(st.floats(0.05, 9.99), st.integers(1, NUMBER))
def test_bessel_is_the_published_formula(r: float, order: int) -> None:
    found = bessel(torch.tensor([r]), NUMBER, CUTOFF)[0, order - 1]
    expected = math.sqrt(0.2) * math.sin(order * math.pi * r / 10) / r
    assert float(found) == pytest.approx(expected, rel=1e-6, abs=1e-7)


@pytest.mark.parametrize(("r", "norm"), [(1.0, 2.24), (3.0, 0.75), (6.0, 0.37), (9.0, 0.25)])
def test_norm_of_the_bessel_basis(r: float, norm: float) -> None:
    assert float(bessel(torch.tensor([r]), NUMBER, CUTOFF).norm()) == pytest.approx(norm, abs=6e-3)


@pytest.mark.parametrize("r", [0.0, 10.0001, 50.0])
def test_bessel_network_is_exactly_zero_at_zero_and_beyond_the_cutoff(r: float) -> None:
    values = bessel(torch.tensor([r]), NUMBER, CUTOFF)
    assert not values.any()
    assert not HiddenRadial(NUMBER, 16, 2)(values).any()


def test_bessel_basis_would_be_large_at_zero_if_its_limit_were_taken() -> None:
    near = bessel(torch.tensor([1e-4]), NUMBER, CUTOFF)
    assert float(near.norm()) == pytest.approx(29.1, abs=0.1)


@given(st.floats(0.0, 10.0))
def test_cosine_basis_sums_to_one(r: float) -> None:
    assert float(cosine(torch.tensor([r]), NUMBER, CUTOFF).sum()) == pytest.approx(1.0, abs=1e-12)


def test_cosine_basis_is_zero_one_step_beyond_the_cutoff() -> None:
    assert not cosine(torch.tensor([10.3]), NUMBER, CUTOFF).any()
    assert float(cosine(torch.tensor([0.0]), NUMBER, CUTOFF)[0, 0]) == 1.0


def test_gaussian_basis_has_the_published_width_and_no_cutoff() -> None:
    values = gaussian(torch.tensor([10.5]), NUMBER, CUTOFF)[0]
    assert float(values[-1]) == pytest.approx(math.exp(-5.0 * 0.25))
    assert float(values[0]) > 0


@pytest.mark.parametrize("kind", sorted(BASES))
def test_bases_have_second_derivatives(kind: str) -> None:
    r = torch.tensor([0.7, 2.33, 6.1], requires_grad=True)
    assert torch.autograd.gradgradcheck(lambda x: BASES[kind](x, 5, CUTOFF), (r,))


def test_hidden_layers_are_the_published_ones() -> None:
    network, basis = HiddenRadial(6, 9, 2), torch.randn(4, 6)
    first, second = network.weights

    def activate(x: Tensor) -> Tensor:
        return config.HIDDEN_SCALE * (torch.log1p(torch.exp(5 * x)) / 5 - SHIFT)

    expected = activate(activate(basis @ first) @ second / 3.0) / 3.0
    torch.testing.assert_close(network(basis), expected, rtol=1e-13, atol=1e-14)


def test_gate_scales_every_feature_by_its_own_gate() -> None:
    features = [torch.randn(2, 1, 3 + 2 + 1), torch.randn(2, 3, 2), torch.randn(2, 5, 1)]
    scalars, vectors, tensors = gate(features, 3)
    torch.testing.assert_close(
        scalars, config.SCALAR_SCALE * torch.log1p(torch.exp(5 * features[0][:, :, :3])) / 5
    )
    gates = config.GATE_SCALE / (1 + torch.exp(-features[0]))
    torch.testing.assert_close(vectors, features[1] * gates[:, :, 3:5])
    torch.testing.assert_close(tensors, features[2] * gates[:, :, 5:])
