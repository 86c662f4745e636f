"""Functions of the distance: Bessel basis, smooth cutoff, and the network that makes weights.

Basis n = 1..N of distance r with cutoff c, and envelope u of d = r/c (order p = 6):

    b_n(r) = sqrt(2/c) sin(n pi r/c) / r * u(r/c),    u(d) = 1 - 28 d^6 + 48 d^7 - 21 d^8.

u, u' and u'' vanish at the cutoff, so that energies and forces are continuous there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor, nn

__all__ = ["SILU_SCALE", "RadialBasis", "RadialNetwork", "bessel", "envelope"]

SILU_SCALE: Final = 1.6791767923989418
"""e3nn's factor for silu to keep unit second moment (its estimate; by quadrature 1.67653).

The same number as e3nn's, so that weights can be exchanged with its `FullyConnectedNet`.
"""

SMALL_ANGLE: Final = 1e-2
"""Below this k r, sin(k r)/r is summed as a series: exact to 1e-20 with its derivatives."""


def envelope(ratio: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """The polynomial cutoff u of r/c: 1 at 0, and 0 from 1 on."""
    inside = ratio.clamp(max=1.0)
    return 1.0 - inside**6 * (28.0 - inside * (48.0 - 21.0 * inside))


def bessel(
    distance: Float[Tensor, " edges"], number: int, cutoff: float
) -> Float[Tensor, "edges number"]:
    """sqrt(2/c) sin(n pi r/c)/r for n = 1..number; right at r = 0 with every derivative.

    (`torch.sinc` has wrong second derivatives at 0.)
    """
    order = torch.arange(1, number + 1, dtype=distance.dtype, device=distance.device)
    wave = order * (math.pi / cutoff)
    r = distance.unsqueeze(-1)
    angle = wave * r
    small = angle < SMALL_ANGLE
    far = torch.where(small, torch.ones_like(angle), r)
    square = torch.where(small, angle, torch.zeros_like(angle)).square()
    series = wave * (1.0 - square / 6.0 * (1.0 - square / 20.0 * (1.0 - square / 42.0)))
    return math.sqrt(2.0 / cutoff) * torch.where(small, series, torch.sin(angle) / far)


class RadialBasis(nn.Module):
    """Bessel functions times the envelope, scaled by a stored constant.

    `set_scale` makes the mean square over given distances 1. cutoff: in angstrom.
    """

    scale: Tensor

    def __init__(self, number: int = 8, cutoff: float = 5.0) -> None:
        super().__init__()
        self.number = number
        self.cutoff = cutoff
        self.register_buffer("scale", torch.ones(()))

    def forward(self, distance: Float[Tensor, " edges"]) -> Float[Tensor, "edges basis"]:
        smooth = envelope(distance / self.cutoff).unsqueeze(-1)
        return bessel(distance, self.number, self.cutoff) * (smooth * self.scale)

    @torch.no_grad()
    def set_scale(self, mean_square: float) -> None:
        """Divides by the root of `mean_square`, the mean of the basis squared at scale 1."""
        self.scale.fill_(1.0 / math.sqrt(mean_square) if mean_square > 0 else 1.0)


class RadialNetwork(nn.Module):
    """A network without biases from the basis to the weights of an edge; 0 where the basis is 0.

    Weights are N(0, 1) and divided by sqrt(fan-in) in use; silu times its scale between layers:
    e3nn's `FullyConnectedNet`, with exchangeable weights.
    """

    def __init__(self, basis: int, hidden: Sequence[int], outputs: int) -> None:
        super().__init__()
        widths = [basis, *hidden, outputs]
        self.weights = nn.ParameterList(
            nn.Parameter(torch.randn(fan_in, fan_out)) for fan_in, fan_out in pairwise(widths)
        )

    def forward(self, basis: Float[Tensor, "edges basis"]) -> Float[Tensor, "edges outputs"]:
        """The weights of every edge."""
        *hidden, last = self.weights
        value = basis
        gain = 1.0
        for weight in hidden:
            value = nn.functional.silu(value @ (weight * (gain / math.sqrt(len(weight)))))
            gain = SILU_SCALE
        return value @ (last * (gain / math.sqrt(len(last))))
