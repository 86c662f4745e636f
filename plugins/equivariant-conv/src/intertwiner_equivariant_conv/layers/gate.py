"""The gate: the only non-linearity on features, equivariant because it scales whole vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from intertwiner_equivariant_conv.layers.radial import SILU_SCALE

__all__ = ["SIGMOID_SCALE", "Gate"]

SIGMOID_SCALE: Final = 1.8467055342154763
"""e3nn's factor for the sigmoid to keep unit second moment."""


class Gate(nn.Module):
    """Order 0 through a normalised silu; channel c of order l times a sigmoid of its own gate.

    orders: those of the features, rising from 0. Input rows: the 2l+1 rows of every order, then
    a row of gates for every order above 0.
    """

    owner: Tensor

    def __init__(self, orders: Sequence[int]) -> None:
        super().__init__()
        self.rows = sum(2 * order + 1 for order in orders)
        owner = [gate for gate, order in enumerate(orders[1:]) for _ in range(2 * order + 1)]
        self.register_buffer("owner", torch.tensor(owner, dtype=torch.long), persistent=False)

    def forward(
        self, features: Float[Tensor, "nodes rows+gates channels"]
    ) -> Float[Tensor, "nodes rows channels"]:
        scalars = SILU_SCALE * nn.functional.silu(features[:, :1])
        if self.rows == 1:
            return scalars
        gates = SIGMOID_SCALE * torch.sigmoid(features[:, self.rows :])
        turned = features[:, 1 : self.rows] * gates.index_select(1, self.owner)
        return torch.cat([scalars, turned], 1)
