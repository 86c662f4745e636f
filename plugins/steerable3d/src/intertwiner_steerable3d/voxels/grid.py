"""The grid: how many voxels along each axis, and how far apart."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from intertwiner_steerable3d.errors import InvalidSetting

__all__ = ["Grid"]


@dataclass(frozen=True, slots=True)
class Grid:
    """Voxels about the origin; voxel (n - 1) / 2 of each axis has its centre there.

    sides: voxels along x, y, z. steps: their distances in angstrom.

    Raises `InvalidSetting` for a side below 1 or a step that is not a positive number.
    """

    sides: tuple[int, int, int]
    steps: tuple[float, float, float] = (1.0, 1.0, 1.0)

    def __post_init__(self) -> None:
        for axis, side, step in zip("xyz", self.sides, self.steps, strict=True):
            if side < 1:
                raise InvalidSetting(f"grid: {side} voxels along {axis}, must be 1 or more")
            if not (step > 0 and math.isfinite(step)):
                raise InvalidSetting(f"grid: step {step} angstrom along {axis}, must be positive")

    @classmethod
    def cube(cls, side: int, step: float = 1.0) -> Grid:
        """The same number of voxels and distance along all axes."""
        return cls((side, side, side), (step, step, step))

    def places(self, pos: Float[Tensor, "atoms 3"]) -> Float[Tensor, "atoms 3"]:
        """Positions in angstrom about the grid's centre as voxel numbers; 0 is the first voxel."""
        steps = pos.new_tensor(self.steps)
        return pos / steps + (pos.new_tensor(self.sides) - 1) / 2

    def axis(self, number: int, dtype: torch.dtype = torch.float32) -> Float[Tensor, " voxels"]:
        """Centres of the voxels along one axis, in angstrom."""
        side = self.sides[number]
        return (torch.arange(side, dtype=dtype) - (side - 1) / 2) * self.steps[number]
