"""What a network learns from its training meshes before the first step: lengths and units."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from intertwiner_gauge_mesh.errors import InvalidInput

__all__ = ["EdgeLengths", "spread"]

QUANTILE = 0.995
MOST = 1_000_000


@dataclass(frozen=True, slots=True)
class EdgeLengths:
    """reach: the 99.5 % quantile; mean and median, all in the unit of the positions."""

    reach: float
    mean: float
    median: float

    @classmethod
    def of(cls, lengths: Iterable[Float[Tensor, " edges"]]) -> EdgeLengths:
        """Of the edges of many meshes. Raises `InvalidInput` when there is none."""
        found = torch.cat([item.detach().double().cpu() for item in lengths])
        if len(found) == 0:
            raise InvalidInput("the training meshes have no edges")
        ordered = found.sort().values
        rank = min(len(ordered) - 1, int(QUANTILE * len(ordered)))
        return cls(float(ordered[rank]), float(found.mean()), float(ordered[len(ordered) // 2]))


def spread(values: Float[Tensor, " numbers"], *, centred: bool) -> tuple[float, float]:
    """(shift, scale): mean and standard deviation, or 0 and the root mean square; NaN left out."""
    values = values.detach().double()
    values = values[torch.isfinite(values)]
    if len(values) == 0:
        return 0.0, 1.0
    shift = float(values.mean()) if centred else 0.0
    return shift, float((values - shift).square().mean().sqrt()) or 1.0
