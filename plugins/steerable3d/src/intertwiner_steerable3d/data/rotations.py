"""Rotations drawn uniformly."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["random_rotations"]


def random_rotations(count: int, generator: torch.Generator) -> Float[Tensor, "count 3 3"]:
    """From unit quaternions, four normal numbers each; det = 1, in double precision."""
    draw = torch.randn(count, 4, generator=generator, dtype=torch.float64)
    w, x, y, z = torch.nn.functional.normalize(draw, dim=1).unbind(1)
    rows = (
        *(1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)),
        *(2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)),
        *(2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)),
    )
    return torch.stack(rows, dim=1).unflatten(1, (3, 3))
