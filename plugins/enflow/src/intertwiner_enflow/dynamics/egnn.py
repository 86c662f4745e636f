"""The velocity of positions: an equivariant graph network whose nodes know the time alone.

h_i^0 = t w + b for every particle; v = x^L - x^0 less its mean over the particles.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from intertwiner_enflow.dynamics.base import Dynamics
from intertwiner_enflow.dynamics.stack import EgnnStack

__all__ = ["EgnnVelocity", "centred"]


class EgnnVelocity(Dynamics):
    """Equivariant velocity of `dimension`-dimensional particles without features.

    layers, features: number and width. attention, tanh: see `EgnnLayer`.
    condition_time: without it, h^0 comes from the constant 1.

    `embedding_out` is not used; it stands so that weights can be exchanged with the published
    form, and is not trained.
    """

    def __init__(
        self,
        dimension: int,
        layers: int = 3,
        features: int = 32,
        *,
        attention: bool = True,
        tanh: bool = True,
        condition_time: bool = True,
    ) -> None:
        super().__init__(dimension)
        self.embedding = nn.Linear(1, features)
        self.embedding_out = nn.Linear(features, 1).requires_grad_(False)
        self.stack = EgnnStack(
            layers, features, attention=attention, tanh=tanh, final_features=False
        )
        self.condition_time = condition_time

    def nodes(self, t: Float[Tensor, " batch"]) -> Float[Tensor, "batch features"]:
        """h^0, the same for all particles of a configuration."""
        time = t if self.condition_time else torch.ones_like(t)
        found: Tensor = self.embedding(time.unsqueeze(-1))
        return found

    def forward(
        self,
        t: Float[Tensor, " batch"],
        s: Float[Tensor, "batch n dim"],
        mask: Float[Tensor, "batch n"] | None = None,
    ) -> Float[Tensor, "batch n dim"]:
        moved, _ = self.stack(s, self.nodes(t), mask)
        return centred(moved, mask)

    def is_compact(self, s: Float[Tensor, "batch n channels"]) -> bool:
        return self.stack.program(s[..., : self.dimension]) is not None

    def tangents(
        self,
        t: Float[Tensor, " batch"],
        s: Float[Tensor, "batch n dim"],
        ds: Float[Tensor, "directions batch n dim"],
        mask: Float[Tensor, "batch n"] | None = None,
    ) -> tuple[Tensor, Tensor]:
        moved, dmoved, _, _ = self.stack.tangents(s, ds, self.nodes(t), None, mask)
        return centred(moved, mask), centred(dmoved, mask)

    def divergence(
        self, t: Float[Tensor, " batch"], s: Float[Tensor, "batch n dim"]
    ) -> tuple[Float[Tensor, "batch n dim"], Float[Tensor, " batch"]]:
        moved, trace = self.stack.divergence(s, self.nodes(t))
        return centred(moved), trace


def centred(
    x: Float[Tensor, "*batch n dim"], mask: Float[Tensor, "batch n"] | None = None
) -> Float[Tensor, "*batch n dim"]:
    """x less its mean over the (real) particles; masked particles stay zero."""
    if mask is None:
        return x - x.mean(dim=-2, keepdim=True)
    real = mask.unsqueeze(-1)
    mean = (x * real).sum(dim=-2, keepdim=True) / real.sum(dim=-2, keepdim=True)
    return (x - mean) * real
