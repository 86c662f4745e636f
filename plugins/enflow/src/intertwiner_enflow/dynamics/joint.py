"""The velocity of positions and features together: molecules with their elements.

h^0 = embedding of [h | t | context]; v_x = x^L - x^0 less its mean; v_h = embedding_out(h^L), an
output and not a difference, of which the columns of time and context are dropped.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from intertwiner_enflow.dynamics.base import Dynamics
from intertwiner_enflow.dynamics.egnn import centred
from intertwiner_enflow.dynamics.stack import EgnnStack

__all__ = ["JointVelocity"]


class JointVelocity(Dynamics):
    """Equivariant velocity of states [x, h] with `features` numbers of each particle.

    context: number of conditioning numbers, the same for all particles or one row of each.
    layers, width: of the network.
    """

    def __init__(
        self,
        dimension: int,
        features: int,
        layers: int = 6,
        width: int = 64,
        *,
        context: int = 0,
        attention: bool = True,
        tanh: bool = True,
    ) -> None:
        super().__init__(dimension, features)
        self.context = context
        inputs = features + 1 + context
        self.embedding = nn.Linear(inputs, width)
        self.embedding_out = nn.Linear(width, inputs)
        self.stack = EgnnStack(layers, width, attention=attention, tanh=tanh)

    def forward(
        self,
        t: Float[Tensor, " batch"],
        s: Float[Tensor, "batch n channels"],
        mask: Float[Tensor, "batch n"] | None = None,
        context: Float[Tensor, "batch n context"] | None = None,
    ) -> Float[Tensor, "batch n channels"]:
        x, h = s.split((self.dimension, self.features), dim=-1)
        moved, final = self.stack(x, self.embedding(self._inputs(t, h, context)), mask)
        return self._velocity(moved, self.embedding_out(final), mask)

    def is_compact(self, s: Float[Tensor, "batch n channels"]) -> bool:
        return self.stack.program(s[..., : self.dimension]) is not None

    def tangents(
        self,
        t: Float[Tensor, " batch"],
        s: Float[Tensor, "batch n channels"],
        ds: Float[Tensor, "directions batch n channels"],
        mask: Float[Tensor, "batch n"] | None = None,
        context: Float[Tensor, "batch n context"] | None = None,
    ) -> tuple[Tensor, Tensor]:
        x, h = s.split((self.dimension, self.features), dim=-1)
        dx, dh = ds.split((self.dimension, self.features), dim=-1)
        nodes = self.embedding(self._inputs(t, h, context))
        dnodes = nn.functional.linear(dh, self.embedding.weight[:, : self.features])
        moved, dmoved, final, dfinal = self.stack.tangents(x, dx, nodes, dnodes, mask)
        if final is None or dfinal is None:  # the stack gives what it was built and asked for
            raise RuntimeError("the network lost its features or their tangents")
        dout = nn.functional.linear(dfinal, self.embedding_out.weight)
        values = self._velocity(moved, self.embedding_out(final), mask)
        return values, self._velocity(dmoved, dout, mask)

    def _inputs(self, t: Tensor, h: Tensor, context: Tensor | None) -> Tensor:
        time = t.reshape(-1, 1, 1).expand(*h.shape[:-1], 1)
        parts = (h, time) if context is None else (h, time, context.expand(*h.shape[:-1], -1))
        return torch.cat(parts, dim=-1)

    def _velocity(self, moved: Tensor, out: Tensor, mask: Tensor | None) -> Tensor:
        features = out[..., : self.features]
        if mask is not None:
            features = features * mask.unsqueeze(-1)
        return torch.cat((centred(moved, mask), features), dim=-1)
