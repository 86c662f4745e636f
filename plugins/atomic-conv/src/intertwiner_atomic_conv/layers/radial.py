"""Radial filters with learnable cutoff, centre and width.

For filter k, with u = r - rho_k,

    f_k(r) = exp(-s_k u^2) (cos(pi r / R_k) + 1) / 2   for r <= R_k, else 0

(arXiv:1703.10603, radial pooling). R and rho in angstrom, s in 1/angstrom^2: a Gaussian of
standard deviation sqrt(1 / 2s). f and its first derivative are continuous at R.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from intertwiner_atomic_conv.errors import InvalidSetting

__all__ = ["RadialFilters", "evaluate_filters"]

SMALLEST_CUTOFF, SMALLEST_CENTRE, SMALLEST_EXPONENT = 0.5, -2.0, 1e-3


def evaluate_filters(
    distance: Float[Tensor, " edges"],
    cutoff: Float[Tensor, " filters"],
    centre: Float[Tensor, " filters"],
    exponent: Float[Tensor, " filters"],
) -> Float[Tensor, "edges filters"]:
    """f_k(r) of every distance (angstrom) and filter, in plain operations."""
    r = distance.unsqueeze(-1)
    angle = (math.pi * r / cutoff).clamp(max=math.pi)
    return torch.exp(-exponent * (r - centre).square()) * (0.5 * (torch.cos(angle) + 1.0))


class RadialFilters(nn.Module):
    """All combinations of starting cutoffs, centres and exponents, the last list fastest.

    reach: largest cutoff and centre that training may reach, in angstrom. After each step of an
    optimiser `project` brings values back to 0.5 <= R <= reach, -2 <= rho <= reach, s >= 0.001.
    """

    def __init__(
        self,
        cutoffs: Sequence[float],
        centres: Sequence[float],
        exponents: Sequence[float],
        reach: float,
        *,
        frozen: bool = False,
    ) -> None:
        super().__init__()
        for name, values in (("cutoffs", cutoffs), ("exponents", exponents)):
            for value in values:
                if not value > 0:
                    raise InvalidSetting(f"{name}: {value} must be above 0")
        if not (cutoffs and centres and exponents):
            raise InvalidSetting("cutoffs, centres, exponents: none may be empty")
        grid = torch.tensor(list(itertools.product(cutoffs, centres, exponents)))
        self.reach = reach
        self.cutoff = nn.Parameter(grid[:, 0].clone(), requires_grad=not frozen)
        self.centre = nn.Parameter(grid[:, 1].clone(), requires_grad=not frozen)
        self.exponent = nn.Parameter(grid[:, 2].clone(), requires_grad=not frozen)

    def __len__(self) -> int:
        return len(self.cutoff)

    @torch.no_grad()
    def project(self) -> None:
        """Brings all values back to where they make sense; does nothing to those that do."""
        largest = max(self.reach, SMALLEST_CUTOFF)
        self.cutoff.clamp_(SMALLEST_CUTOFF, largest)
        self.centre.clamp_(SMALLEST_CENTRE, largest)
        self.exponent.clamp_(min=SMALLEST_EXPONENT)

    def values(
        self, reach: float | None = None
    ) -> tuple[Float[Tensor, " k"], Float[Tensor, " k"], Float[Tensor, " k"]]:
        """(R, rho, s) within their bounds; R no larger than `reach`, where a graph ends."""
        largest = max(self.reach, SMALLEST_CUTOFF)
        limit = largest if reach is None else min(largest, reach)
        return (
            self.cutoff.clamp(min(SMALLEST_CUTOFF, limit), limit),
            self.centre.clamp(SMALLEST_CENTRE, largest),
            self.exponent.clamp(min=SMALLEST_EXPONENT),
        )

    def forward(self, distance: Float[Tensor, " edges"]) -> Float[Tensor, "edges filters"]:
        """f_k of every distance, in angstrom."""
        return evaluate_filters(distance, *self.values())
