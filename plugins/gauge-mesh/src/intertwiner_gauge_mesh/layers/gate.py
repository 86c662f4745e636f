"""Gates: every field is multiplied by a number between 0 and 1 that scalars decide."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from intertwiner_gauge_mesh.errors import InvalidSetting
from intertwiner_gauge_mesh.types import FeatureType, TypeLike

__all__ = ["Gate"]


class Gate(nn.Module):
    """x_0 -> SiLU(x_0), z_n -> z_n sigmoid(affine map of x_0). Exactly equivariant for any order.

    Raises `InvalidSetting` for a type without scalars.
    """

    def __init__(self, kind: TypeLike) -> None:
        super().__init__()
        self.kind = FeatureType.parse(kind)
        if self.kind.scalars == 0:
            raise InvalidSetting(f"type {self.kind}: gates need scalars")
        fields = self.kind.channels - self.kind.scalars
        self.gates = nn.Linear(self.kind.scalars, fields) if fields else None

    def forward(self, x: Float[Tensor, "vertices width"]) -> Float[Tensor, "vertices width"]:
        """Commutes exactly with turning the frames."""
        scalars = x[:, : self.kind.scalars]
        parts = [nn.functional.silu(scalars)]
        if self.gates is None:
            return parts[0]
        gates = torch.sigmoid(self.gates(scalars)).split(self.kind.multiplicities[1:], 1)
        for block, gate in zip(self.kind.blocks[1:], gates, strict=True):
            parts.append(x[:, block.start : block.stop] * gate.repeat(1, 2))
        return torch.cat(parts, 1)
