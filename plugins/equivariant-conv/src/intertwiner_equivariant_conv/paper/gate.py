"""The gate of the paper's network."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from intertwiner_equivariant_conv.paper.config import GATE_SCALE, SCALAR_SCALE
from intertwiner_equivariant_conv.paper.radial import softplus

__all__ = ["Features", "gate"]

Features = list[Float[Tensor, "atoms components multiplicity"]]
"""One tensor for every order l, with 2l + 1 components."""


def gate(features: Features, scalars: int) -> Features:
    """k_s softplus(s) of the first `scalars` of order 0; the others of order 0 are gates.

    Every feature of a higher order, order by order, is multiplied by 1.846 sigmoid(its gate).
    """
    first, *higher = features
    out = [SCALAR_SCALE * softplus(first[:, :, :scalars])]
    widths: Sequence[int] = [block.shape[2] for block in higher]
    for block, own in zip(higher, first[:, :, scalars:].split(widths, 2), strict=True):
        out.append(block * (GATE_SCALE * torch.sigmoid(own)))
    return out
