"""The points of a cubic kernel, and their radii."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from intertwiner_steerable3d.errors import InvalidSetting

__all__ = ["Lattice", "Step", "lattice"]

Step = tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class Lattice:
    """The voxel centres of a kernel, in float64; the unit is the shortest voxel edge.

    points: in the order of a flattened [x, y, z] array. radii: the distinct distances from the
    centre, ascending. shell: for every point the number of its radius.
    """

    size: int
    points: Float[Tensor, "points 3"]
    radii: Float[Tensor, " radii"]
    shell: Int[Tensor, " points"]


@functools.cache
def lattice(size: int, step: Step = (1.0, 1.0, 1.0)) -> Lattice:
    """size^3 points around the origin; of an even size none lies on it.

    step: edges of a voxel along x, y and z, in any unit: only their ratios matter.
    Raises `InvalidSetting` for a size below 1 or an edge that is not above 0.
    """
    if size < 1:
        raise InvalidSetting(f"size must be >= 1, not {size}")
    if len(step) != 3 or not all(0 < edge < float("inf") for edge in step):
        raise InvalidSetting(f"step {step}: three voxel edges above 0")
    axis = torch.arange(size, dtype=torch.float64) - (size - 1) / 2
    points = torch.cartesian_prod(axis, axis, axis).view(-1, 3)
    points = points * (torch.tensor(step, dtype=torch.float64) / min(step))
    squares = (points.square().sum(1) * 1e9).round() / 1e9
    distinct, shell = torch.unique(squares, return_inverse=True)
    return Lattice(size, points, distinct.sqrt(), shell)
