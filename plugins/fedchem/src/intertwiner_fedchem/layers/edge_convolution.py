"""Convolution whose weight matrix is made of each edge's features (Gilmer et al., 1704.01212).

m_j = sum over edges i -> j of h_i W(e_ij) + b,   W(e) = reshape(relu(e E1 + c1) E2 + c2)
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from intertwiner_fedchem.layers.message_plan import Step
from intertwiner_fedchem.layers.message_sum import message_sum

__all__ = ["DistinctEdges", "EdgeConvolution"]


class DistinctEdges(NamedTuple):
    """Edges that leave each atom, side by side in slots.

    slots: the coefficients k. place: the slot of every edge. basis: the matrices W_a, side by side.
    """

    slots: Float[Tensor, "atoms slots coefficients"]
    place: Int[Tensor, " edges"]
    basis: Float[Tensor, "width coefficients_width"]


class EdgeConvolution(nn.Module):
    """width: of the states. edge_features, hidden: of the network that makes the matrices."""

    def __init__(self, width: int, edge_features: int, hidden: int) -> None:
        super().__init__()
        self.width = width
        self.first = nn.Linear(edge_features, hidden)
        self.second = nn.Linear(hidden, width * width)
        self.bias = nn.Parameter(torch.zeros(width))

    def matrices(
        self, edges: Float[Tensor, "types features"]
    ) -> Float[Tensor, "types width width"]:
        """W of every row of features."""
        weights: Tensor = self.second(torch.relu(self.first(edges)))
        return weights.view(-1, self.width, self.width)

    def forward(
        self,
        states: Float[Tensor, "previous width"],
        matrices: Float[Tensor, "types width width"],
        step: Step,
    ) -> Float[Tensor, "rows width"]:
        """The sums of one step; matrices: of the plan's types, the same for every step."""
        return message_sum(states, matrices, step) + self.bias

    def distinct(
        self,
        edges: Float[Tensor, "edges features"],
        source: Int[Tensor, " edges"],
        atoms: int,
    ) -> DistinctEdges:
        """What every step needs of edges of which no two are alike."""
        place, most = _places(source, atoms)
        coefficients = nn.functional.pad(torch.relu(self.first(edges)), (0, 1), value=1.0)
        slots = coefficients.new_zeros(atoms * most, coefficients.shape[1])
        slots = slots.index_copy(0, place, coefficients).view(atoms, most, -1)
        last = torch.cat([self.second.weight.T, self.second.bias[None]])
        basis = last.view(-1, self.width, self.width).transpose(0, 1).reshape(self.width, -1)
        return DistinctEdges(slots, place, basis)

    def of_distinct_edges(
        self,
        states: Float[Tensor, "atoms width"],
        edges: DistinctEdges,
        target: Int[Tensor, " edges"],
    ) -> Float[Tensor, "atoms width"]:
        """The same sums where no two edges are alike: W is never formed.

        With k = (relu(e E1 + c1), 1), h W(e) = sum_a k_a h W_a, whose h W_a are made per atom and
        met with all edges that leave it in one product.
        """
        projected = (states @ edges.basis).view(len(states), -1, self.width)
        messages = torch.bmm(edges.slots, projected).view(-1, self.width)
        summed = torch.zeros_like(states)
        return summed.index_add(0, target, messages.index_select(0, edges.place)) + self.bias


def _places(source: Int[Tensor, " edges"], atoms: int) -> tuple[Int[Tensor, " edges"], int]:
    """A slot for every edge among those of its source, and how many slots a source has."""
    order = source.argsort(stable=True)
    counts = torch.bincount(source, minlength=atoms)
    first = counts.cumsum(0) - counts
    rank = torch.empty_like(source)
    rank[order] = torch.arange(len(source), device=source.device)
    most = int(counts.max()) if len(source) else 1
    return source * most + rank - first.index_select(0, source), most
