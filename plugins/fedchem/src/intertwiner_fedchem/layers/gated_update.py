"""A gated recurrent unit over rows of which several share their previous state (Cho et al., 2014).

    r, z = sigmoid(x W_r + h U_r), sigmoid(x W_z + h U_z);  n = tanh(x W_n + r (h U_n))
    h' = n + z (h - n)

Products with previous states are made once for every distinct one.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn.functional import linear

__all__ = ["GatedUpdate"]


class GatedUpdate(nn.Module):
    """Parameters and values are those of `torch.nn.GRUCell`; differentiable once."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.cell = nn.GRUCell(width, width)

    def forward(
        self,
        received: Float[Tensor, "rows width"],
        states: Float[Tensor, "previous width"],
        previous: Int[Tensor, " rows"],
    ) -> Float[Tensor, "rows width"]:
        """previous: which of the states is the old one of each row."""
        cell = self.cell
        given = linear(received, cell.weight_ih, cell.bias_ih)
        kept = linear(states, cell.weight_hh, cell.bias_hh).index_select(0, previous)
        old = states.index_select(0, previous)
        updated: Tensor = _Gates.apply(given, kept, old)
        return updated


class _Gates(torch.autograd.Function):
    """The gates and what they mix, with the gradient written out."""

    @staticmethod
    def forward(ctx: Any, given: Tensor, kept: Tensor, old: Tensor) -> Tensor:
        width = old.shape[1]
        gates = (given[:, : 2 * width] + kept[:, : 2 * width]).sigmoid_()
        reset, update = gates.chunk(2, 1)
        inner = kept[:, 2 * width :]
        new = torch.addcmul(given[:, 2 * width :], reset, inner).tanh_()
        ctx.save_for_backward(gates, inner, new, old)
        return torch.lerp(new, old, update)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        gates, inner, new, old = ctx.saved_tensors
        width = old.shape[1]
        reset, update = gates.chunk(2, 1)
        of_old = slope * update
        of_given = slope.new_empty(len(slope), 3 * width)
        of_new = of_given[:, 2 * width :]
        torch.mul(slope - of_old, 1 - new.square(), out=of_new)
        torch.mul(of_new, inner, out=of_given[:, :width])
        torch.mul(slope, old - new, out=of_given[:, width : 2 * width])
        of_given[:, : 2 * width].mul_(gates).mul_(1 - gates)
        of_kept = of_given.clone()
        of_kept[:, 2 * width :].mul_(reset)
        return of_given, of_kept, of_old
