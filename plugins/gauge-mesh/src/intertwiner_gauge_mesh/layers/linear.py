"""Channels of the same order mixed at every vertex; a bias on scalars only.

Any other bias would depend on the frame.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from intertwiner_gauge_mesh.layers.signature import SignedModule
from intertwiner_gauge_mesh.types import FeatureType, TypeLike

__all__ = ["GaugeLinear"]


class GaugeLinear(SignedModule):
    """z'_n = M_n z_n with a real matrix for every order that both types have.

    tied: one matrix for all orders. Orders that only one type has are left out, or zero.
    """

    def __init__(
        self,
        type_in: TypeLike,
        type_out: TypeLike,
        *,
        bias: bool = True,
        tied: bool = False,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.type_in, self.type_out = FeatureType.parse(type_in), FeatureType.parse(type_out)
        pairs = zip(self.type_in.multiplicities, self.type_out.multiplicities, strict=False)
        self.common = [
            order for order, (first, second) in enumerate(pairs) if min(first, second) > 0
        ]
        orders = self.common[:1] if tied else self.common
        self.matrices = nn.ParameterList(self._draw(order, generator) for order in orders)
        self.tied = tied
        self.bias = nn.Parameter(torch.zeros(self.type_out.scalars)) if bias else None
        self.sign(f"{self.type_in} -> {self.type_out}")

    def _draw(self, order: int, generator: torch.Generator | None) -> nn.Parameter:
        fan_in = self.type_in.multiplicities[order]
        bound = math.sqrt(3 / fan_in)
        matrix = torch.empty(fan_in, self.type_out.multiplicities[order])
        return nn.Parameter(matrix.uniform_(-bound, bound, generator=generator))

    def forward(self, x: Float[Tensor, "vertices width_in"]) -> Float[Tensor, "vertices width_out"]:
        """A map of every vertex by itself."""
        parts, rank = [], 0
        sources = x.split([block.stop - block.start for block in self.type_in.blocks], 1)
        for block in self.type_out.blocks:
            if block.order not in self.common:
                parts.append(x.new_zeros(len(x), block.stop - block.start))
                continue
            source = self.type_in.blocks[block.order]
            matrix = self.matrices[0 if self.tied else rank]
            rank += 1
            rows = sources[source.order].reshape(-1, source.count)
            parts.append((rows @ matrix).view(len(x), -1))
        if self.bias is not None:
            parts[0] = parts[0] + self.bias
        return torch.cat(parts, 1)
