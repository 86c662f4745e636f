"""Random fields that can be turned exactly: drawn as Gaussians, never interpolated."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["RandomFields", "random_rotations"]

DENSITY = 1 / 8
"""Gaussians in a voxel."""


def random_rotations(count: int, generator: torch.Generator) -> Float[Tensor, "count 3 3"]:
    """Uniform over all rotations, from unit quaternions."""
    q = torch.randn(count, 4, generator=generator, dtype=torch.float64)
    w, x, y, z = torch.nn.functional.normalize(q, dim=1).unbind(1)
    rows = [
        *(1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)),
        *(2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)),
        *(2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)),
    ]
    return torch.stack(rows, 1).view(count, 3, 3)


class RandomFields:
    """White noise blurred by a Gaussian of `blur` voxels, about the centre of a grid.

    Centres are uniform in a ball that holds the grid at every rotation, weights are normal.
    """

    def __init__(self, count: int, side: int, blur: float, generator: torch.Generator) -> None:
        radius = math.sqrt(3) * (side - 1) / 2 + 3 * blur
        centres = round(4 / 3 * math.pi * radius**3 * DENSITY)
        draw = torch.randn(count, centres, 4, generator=generator, dtype=torch.float64)
        distance = torch.rand(count, centres, 1, generator=generator, dtype=torch.float64)
        direction = torch.nn.functional.normalize(draw[..., :3], dim=-1)
        self.places = radius * distance ** (1 / 3) * direction
        self.weights = draw[..., 3]
        self.side, self.blur = side, blur

    def on_grid(
        self, rotations: Float[Tensor, "#count 3 3"]
    ) -> Float[Tensor, "count 1 side side side"]:
        """Every field, turned about the centre of the grid, at the voxel centres."""
        places = self.places @ rotations.transpose(1, 2)
        axis = torch.arange(self.side, dtype=torch.float64) - (self.side - 1) / 2
        bumps = torch.exp(-(places[..., None] - axis).square() / (2 * self.blur**2))
        along_x = bumps[:, :, 0] * self.weights[..., None]
        planes = torch.einsum("cny,cnz->cnyz", bumps[:, :, 1], bumps[:, :, 2])
        return torch.einsum("cnx,cnyz->cxyz", along_x, planes)[:, None]
