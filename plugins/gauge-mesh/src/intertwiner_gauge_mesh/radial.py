"""Rings: hat functions of the distance, evenly spaced from 0 to the reach of the filter."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["Radial", "ring_weights"]

Radial = Literal["clamp", "released"]


def ring_weights(
    length: Float[Tensor, " edges"], reach: float, rings: int, radial: Radial = "clamp"
) -> Float[Tensor, "edges rings"]:
    """Linear interpolation between rings at u_k = k / (rings - 1), u = length / reach.

    At most two are not zero. Beyond the reach the last ring holds ("clamp"), or the last line is
    drawn on, with one weight below 0 and one above 1 ("released").
    """
    if rings == 1:
        return torch.ones_like(length)[:, None]
    u = length / reach
    place = (u.clamp(max=1.0) if radial == "clamp" else u) * (rings - 1)
    lower = place.detach().floor().clamp(0, rings - 2).long()
    fraction = (place - lower)[:, None]
    weights = length.new_zeros(len(length), rings)
    weights = weights.scatter_add(1, lower[:, None], 1 - fraction)
    return weights.scatter_add(1, lower[:, None] + 1, fraction)
