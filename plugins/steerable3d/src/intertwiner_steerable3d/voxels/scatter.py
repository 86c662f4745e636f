"""`voxelise` in plain torch: every atom's box of voxels, added where it belongs."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

__all__ = ["voxelise"]

LARGEST = 2**23
"""Numbers held at once."""


def voxelise(
    places: Float[Tensor, "atoms 3"],
    weights: Float[Tensor, " atoms"],
    widths: Float[Tensor, "atoms 3"],
    channel: Int[Tensor, " atoms"],
    ptr: Int[Tensor, " grids+1"],
    channels: int,
    sides: tuple[int, int, int],
    reach: float,
) -> Float[Tensor, "grids channels x y z"]:
    """See `intertwiner_steerable3d.voxels.reference.voxelise`."""
    grids, voxels = len(ptr) - 1, sides[0] * sides[1] * sides[2]
    out = places.new_zeros(grids * channels * voxels)
    if len(places) == 0:
        return out.view(grids, channels, *sides)
    owner = torch.repeat_interleave(torch.arange(grids, device=ptr.device), ptr.diff())
    first = (owner * channels + channel) * voxels
    box = 2 * int(torch.ceil(reach * widths.detach().max())) + 1
    rows = max(1, LARGEST // box**3)
    for start in range(0, len(places), rows):
        some = slice(start, start + rows)
        index, values = _boxes(places[some], weights[some], widths[some], box, sides, reach)
        out = out.index_add(0, (first[some, None] + index).flatten(), values.flatten())
    return out.view(grids, channels, *sides)


def _boxes(
    places: Float[Tensor, "atoms 3"],
    weights: Float[Tensor, " atoms"],
    widths: Float[Tensor, "atoms 3"],
    box: int,
    sides: tuple[int, int, int],
    reach: float,
) -> tuple[Int[Tensor, "atoms cube"], Float[Tensor, "atoms cube"]]:
    """Numbers of the voxels of every atom's box, and what the atom adds to them."""
    low = torch.ceil(places.detach() - reach * widths.detach()).long()
    voxel = low[:, :, None] + torch.arange(box, device=places.device)
    offset = voxel - places[:, :, None]
    side = torch.tensor(sides, device=places.device)[:, None]
    inside = (offset.abs() <= reach * widths[:, :, None]) & (voxel >= 0) & (voxel < side)
    factor = torch.where(inside, torch.exp(-((offset / widths[:, :, None]) ** 2) / 2), 0.0)
    x, y, z = factor.unbind(1)
    values = (weights[:, None] * x)[:, :, None, None] * y[:, None, :, None] * z[:, None, None, :]
    i, j, k = torch.minimum(voxel.clamp(min=0), side - 1).unbind(1)
    plane = i[:, :, None] * sides[1] + j[:, None, :]
    index = plane[:, :, :, None] * sides[2] + k[:, None, None, :]
    return index.flatten(1), values.flatten(1)
