"""Features side by side, order by order."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from intertwiner_gauge_mesh.types import FeatureType

__all__ = ["concatenate", "concatenated"]


def concatenated(kinds: Sequence[FeatureType]) -> FeatureType:
    """The type of several features side by side."""
    highest = max(kind.order for kind in kinds)
    return FeatureType.parse(
        [
            sum(kind.multiplicities[order] for kind in kinds if kind.order >= order)
            for order in range(highest + 1)
        ]
    )


def concatenate(
    features: Sequence[tuple[Float[Tensor, "vertices _"], FeatureType]],
) -> Float[Tensor, "vertices width"]:
    """Features of type `concatenated(...)` from features and their types."""
    parts = []
    for order in range(max(kind.order for _, kind in features) + 1):
        found = [
            x[:, block.start : block.stop].reshape(len(x), 2 if order else 1, -1)
            for x, kind in features
            for block in kind.blocks[order : order + 1]
        ]
        parts.append(torch.cat(found, 2).flatten(1))
    return torch.cat(parts, 1)
