"""Set2Set: a read-out that attends to the atoms several times (Vinyals et al., 1511.06391).

o, state = LSTM(q);  a_i = softmax over the atoms of a graph of h_i . o;  q = [o, sum a_i h_i]
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

__all__ = ["Set2Set"]

State = list[tuple[Tensor, Tensor]]


class Set2Set(nn.Module):
    """width: of the states; the read-out has twice as much. Query and LSTM state start at zero.

    The parameters are those of `torch.nn.LSTM`; its cells are called one by one, which for a
    sequence of one step takes less time.
    """

    def __init__(self, width: int, iterations: int = 3, layers: int = 3) -> None:
        super().__init__()
        self.width = width
        self.iterations = iterations
        self.lstm = nn.LSTM(2 * width, width, layers)

    def forward(
        self, states: Float[Tensor, "atoms width"], ptr: Int[Tensor, " graphs+1"]
    ) -> Float[Tensor, "graphs twice_width"]:
        """ptr: first atom of every graph; a graph without atoms reads zeros beside its query."""
        graphs = len(ptr) - 1
        owner = torch.repeat_interleave(ptr.diff(), output_size=len(states))
        place = torch.arange(len(states), device=ptr.device) - ptr.index_select(0, owner)
        most = int(place.max()) + 1 if len(place) else 1
        slot = owner * most + place
        query = states.new_zeros(1, 2 * self.width)
        memory = [(states.new_zeros(1, self.width),) * 2 for _ in range(self.lstm.num_layers)]
        for _ in range(self.iterations):
            asked, memory = self._recall(query, memory)
            asked = asked.expand(graphs, -1)
            scores = (states * asked.index_select(0, owner)).sum(1)
            table = scores.new_full((graphs * most,), float("-inf")).index_copy(0, slot, scores)
            shares = table.view(graphs, most).softmax(1).flatten().index_select(0, slot)
            read = torch.zeros_like(asked).index_add(0, owner, states * shares[:, None])
            query = torch.cat([asked, read], 1)
        return query

    def _recall(
        self, query: Float[Tensor, "graphs twice_width"], memory: State
    ) -> tuple[Float[Tensor, "graphs width"], State]:
        """One step of the LSTM. While query and memory are those all graphs begin with, one row
        stands for all.
        """
        given, kept = query, []
        for layer, state in enumerate(memory):
            weights = self.lstm.all_weights[layer]
            state = tuple(part.expand(len(given), -1) for part in state)  # type: ignore[assignment]
            given, cell = torch.lstm_cell(given, state, *weights)
            kept.append((given, cell))
        return given, kept
