"""Continuous-filter convolution of SchNet (Schuett et al., arXiv:1706.08566).

x_i <- x_i + Linear(ssp(Linear(sum over j of Linear(x_j) * W(d_ij) C(d_ij)))),
C(d) = (cos(pi d / cutoff) + 1) / 2,   ssp(x) = ln(1/2 + e^x / 2)
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

__all__ = ["ContinuousFilter", "gaussians", "shifted_softplus"]


def shifted_softplus(x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """ln(1/2 + e^x / 2), which is 0 at 0."""
    return nn.functional.softplus(x) - math.log(2.0)


def gaussians(
    distance: Float[Tensor, " pairs"], cutoff: float, count: int
) -> Float[Tensor, "pairs count"]:
    """exp(-(d - c_k)^2 / 2 s^2) with centres from 0 to the cutoff (angstrom), s their distance."""
    centres = torch.linspace(0.0, cutoff, count, device=distance.device, dtype=distance.dtype)
    spacing = cutoff / (count - 1)
    return torch.exp(-0.5 * ((distance[:, None] - centres) / spacing).square())


class ContinuousFilter(nn.Module):
    """One interaction block. cutoff in angstrom; basis: how many Gaussians."""

    def __init__(self, width: int, basis: int, cutoff: float) -> None:
        super().__init__()
        self.cutoff = cutoff
        self.filter_in, self.filter_out = nn.Linear(basis, width), nn.Linear(width, width)
        self.before = nn.Linear(width, width, bias=False)
        self.after, self.last = nn.Linear(width, width), nn.Linear(width, width)
        for layer in (self.filter_in, self.filter_out, self.before, self.after, self.last):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)

    def forward(
        self,
        states: Float[Tensor, "atoms width"],
        distance: Float[Tensor, " pairs"],
        basis: Float[Tensor, "pairs basis"],
        source: Int[Tensor, " pairs"],
        target: Int[Tensor, " pairs"],
    ) -> Float[Tensor, "atoms width"]:
        """What is added to the states."""
        envelope = 0.5 * (torch.cos(distance * (math.pi / self.cutoff)) + 1.0)
        filters = self.filter_out(shifted_softplus(self.filter_in(basis))) * envelope[:, None]
        messages = self.before(states).index_select(0, source) * filters
        summed = torch.zeros_like(states).index_add(0, target, messages)
        added: Tensor = self.last(shifted_softplus(self.after(summed)))
        return added
