"""Functions of the distance in the paper's network, with its constants.

A network without biases whose last layer, to one weight a path, is left to the convolution, which
never evaluates it pair by pair:

    z1 = f(W1 b),    z2 = f(W2 z1 / sqrt h),    R = W3 z2 / sqrt h,
    f(x) = k_f (softplus(x) - ln(2)/5).

f(0) = 0, so R vanishes where the basis does.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from intertwiner_equivariant_conv.paper.config import HIDDEN_SCALE, SHARPNESS

__all__ = ["BASES", "HiddenRadial", "bessel", "cosine", "gaussian", "softplus"]


def softplus(x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """ln(1 + e^(5x))/5, exact to double precision with its derivatives."""
    return nn.functional.softplus(x, beta=SHARPNESS, threshold=40.0)


def bessel(
    distance: Float[Tensor, " pairs"], number: int, cutoff: float
) -> Float[Tensor, "pairs number"]:
    """sqrt(2/c) sin(n pi r/c) / (r + 1e-8), n = 1..number, and 0 beyond c.

    0 at r = 0, as published, and not the limit there, which is not small: the basis has norm 29.
    """
    order = torch.arange(1, number + 1, dtype=distance.dtype, device=distance.device)
    r = distance.unsqueeze(1)
    wave = torch.sin(r * (order * (math.pi / cutoff))) / (r + 1e-8)
    return wave * ((r <= cutoff) * math.sqrt(2.0 / cutoff)).to(wave.dtype)


def cosine(
    distance: Float[Tensor, " pairs"], number: int, cutoff: float
) -> Float[Tensor, "pairs number"]:
    """cos^2(pi/2 (r - mu_k)/D) within D of mu_k = k D, D = c/(number - 1): sums to 1 up to c."""
    step = cutoff / (number - 1)
    order = torch.arange(number, dtype=distance.dtype, device=distance.device)
    offset = distance.unsqueeze(1) / step - order
    near = (offset.abs() <= 1).to(distance.dtype)
    return torch.cos(0.5 * math.pi * offset).square() * near


def gaussian(
    distance: Float[Tensor, " pairs"], number: int, cutoff: float
) -> Float[Tensor, "pairs number"]:
    """exp(-(number/c) (r - mu_k)^2), mu_k from 0 to c. No cutoff.

    The width is as published, 1/spacing in place of 1/spacing^2.
    """
    centre = torch.linspace(0, cutoff, number, dtype=distance.dtype, device=distance.device)
    return torch.exp(-(number / cutoff) * (distance.unsqueeze(1) - centre).square())


BASES = {"bessel": bessel, "cosine": cosine, "gaussian": gaussian}
"""By the name in the settings."""


class HiddenRadial(nn.Module):
    """The hidden layers of the radial network; all weights N(0, 1)."""

    def __init__(self, basis: int, hidden: int, layers: int) -> None:
        super().__init__()
        widths = [basis] + [hidden] * layers
        self.weights = nn.ParameterList(
            nn.Parameter(torch.randn(widths[i], widths[i + 1])) for i in range(layers)
        )

    def forward(self, basis: Float[Tensor, "pairs basis"]) -> Float[Tensor, "pairs hidden"]:
        """z / sqrt(hidden), so that the last layer is a plain matrix product."""
        value = basis
        for weight in self.weights:
            scale = HIDDEN_SCALE / math.sqrt(weight.shape[1])
            value = scale * (softplus(value @ weight) - math.log(2.0) / SHARPNESS)
        return value
