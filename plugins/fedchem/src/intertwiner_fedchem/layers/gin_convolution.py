"""Graph isomorphism convolution with bond features (Xu et al., 1810.00826; Hu et al., 1905.12265).

h_j <- MLP((1 + eps) h_j + sum over edges i -> j of relu(h_i + e_ij W + b))
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from intertwiner_fedchem.layers.message_plan import Step

__all__ = ["GINConvolution"]


class GINConvolution(nn.Module):
    """width: of the states. edge_features: of bonds and self-loops."""

    def __init__(self, width: int, edge_features: int) -> None:
        super().__init__()
        self.eps = nn.Parameter(torch.zeros(()))
        self.edges = nn.Linear(edge_features, width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 2 * width), nn.ReLU(), nn.Linear(2 * width, width)
        )

    def forward(
        self,
        states: Float[Tensor, "previous width"],
        types: Float[Tensor, "types features"],
        step: Step,
    ) -> Float[Tensor, "rows width"]:
        """types: features of the plan's bond codes; each distinct message is made once."""
        counts = torch.tensor(step.bounds, device=states.device).diff()
        kind = torch.repeat_interleave(counts, output_size=len(step.source))
        messages = torch.relu(
            states.index_select(0, step.source) + self.edges(types).index_select(0, kind)
        )
        own = (1 + self.eps) * states.index_select(0, step.previous)
        summed = own.index_add(0, step.target, messages.index_select(0, step.message))
        updated: Tensor = self.mlp(summed)
        return updated
