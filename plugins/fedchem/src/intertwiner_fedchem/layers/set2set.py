"""Set2Set: a read-out that attends to the atoms several times (Vinyals et al., 1511.06391).

o, state = LSTM(q);  a_i = softmax over the atoms of a graph of h_i . o;  q = [o, sum a_i h_i]
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

__all__ = ["Set2Set"]


class Set2Set(nn.Module):
    """width: of the states; the read-out has twice as much. Query and LSTM state start at zero."""

    def __init__(self, width: int, iterations: int = 3, layers: int = 3) -> None:
        super().__init__()
        self.width = width
        self.iterations = iterations
        self.lstm = nn.LSTM(2 * width, width, layers)

    def forward(
        self, states: Float[Tensor, "atoms width"], ptr: Int[Tensor, " graphs+1"]
    ) -> Float[Tensor, "graphs twice_width"]:
        """ptr: first atom of every graph; a graph without atoms reads zeros beside its query."""
        table, filled = _padded(states, ptr)
        query = states.new_zeros(len(table), 2 * self.width)
        state = None
        for _ in range(self.iterations):
            output, state = self.lstm(query[None], state)
            asked = output[0]
            scores = torch.bmm(table, asked[:, :, None]).squeeze(2)
            shares = scores.masked_fill(~filled, float("-inf")).softmax(1)
            shares = shares.masked_fill(~filled, 0.0)
            read = torch.bmm(shares[:, None], table).squeeze(1)
            query = torch.cat([asked, read], 1)
        return query


def _padded(
    states: Float[Tensor, "atoms width"], ptr: Int[Tensor, " graphs+1"]
) -> tuple[Float[Tensor, "graphs most width"], Bool[Tensor, "graphs most"]]:
    """The atoms of every graph in a row of a table, and which places are filled."""
    sizes = ptr.diff()
    most = max(int(sizes.max()), 1)
    place = torch.arange(most, device=ptr.device)
    filled = place < sizes[:, None]
    rows = (ptr[:-1, None] + place).clamp(max=max(len(states) - 1, 0))
    table = states.index_select(0, rows.flatten()).view(len(sizes), most, -1)
    return table * filled[:, :, None], filled
