"""Convolution whose weight matrix is made of each edge's features (Gilmer et al., 1704.01212).

m_j = sum over edges i -> j of h_i W(e_ij) + b,   W(e) = reshape(relu(e E1 + c1) E2 + c2)
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from intertwiner_fedchem.layers.message_plan import Step
from intertwiner_fedchem.layers.message_sum import message_sum

__all__ = ["EdgeConvolution"]


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

    def of_distinct_edges(
        self,
        states: Float[Tensor, "atoms width"],
        edges: Float[Tensor, "edges features"],
        source: Int[Tensor, " edges"],
        target: Int[Tensor, " edges"],
    ) -> Float[Tensor, "atoms width"]:
        """The same sums where no two edges are alike: W is never formed.

        With k = (relu(e E1 + c1), 1), h W(e) = sum_a k_a h W_a, whose h W_a are made per atom.
        """
        coefficients = torch.relu(self.first(edges))
        ones = coefficients.new_ones(len(coefficients), 1)
        coefficients = torch.cat([coefficients, ones], 1)
        last = torch.cat([self.second.weight.T, self.second.bias[None]])
        basis = last.view(-1, self.width, self.width)
        projected = torch.einsum("ni,aio->nao", states, basis)
        messages = torch.bmm(coefficients[:, None], projected.index_select(0, source)).squeeze(1)
        summed = torch.zeros_like(states).index_add(0, target, messages)
        return summed + self.bias
