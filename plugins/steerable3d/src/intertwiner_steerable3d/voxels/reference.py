"""The definition of `voxelise`, over all voxels, and arguments to compare kernels on."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

__all__ = ["examples", "voxelise"]


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
    """Sums of Gaussians, see `intertwiner_steerable3d.voxels`.

    places: of the atoms, in voxels, 0 is the first one; widths: standard deviations in voxels.
    channel: of every atom, from 0 on. ptr: the atoms of grid g are those from ptr[g] to
    ptr[g + 1]. reach: in widths.
    """
    factors = []
    for axis, side in enumerate(sides):
        voxel = torch.arange(side, dtype=places.dtype, device=places.device)
        offset = voxel - places[:, axis, None]
        width = widths[:, axis, None]
        near = offset.abs() <= reach * width
        factors.append(torch.where(near, torch.exp(-((offset / width) ** 2) / 2), 0.0))
    blobs = torch.einsum("a,ax,ay,az->axyz", weights, *factors)
    grids = len(ptr) - 1
    owner = torch.repeat_interleave(torch.arange(grids, device=ptr.device), ptr.diff())
    out = blobs.new_zeros(grids * channels, *sides)
    return out.index_add(0, owner * channels + channel, blobs).unflatten(0, (grids, channels))


def examples(
    dtype: torch.dtype, device: torch.device, generator: torch.Generator
) -> list[tuple[Any, ...]]:
    """Ragged grids, atoms outside, an empty grid, unequal sides and widths, a single voxel."""
    found = []
    for counts, channels, sides in (
        ((5, 0, 3), 2, (7, 6, 21)),
        ((4,), 1, (1, 1, 1)),
        ((3, 9), 3, (5, 5, 5)),
    ):
        atoms = sum(counts)
        scale = torch.tensor(sides, dtype=dtype, device=device)
        draw = torch.rand(atoms, 7, generator=generator, dtype=dtype, device=device)
        found.append(
            (
                (1.6 * draw[:, :3] - 0.3) * scale,
                0.5 + draw[:, 3],
                0.5 + draw[:, 4:],
                torch.randint(channels, (atoms,), generator=generator, device=device),
                torch.tensor([0, *counts], device=device).cumsum(0),
                channels,
                sides,
                3.5,
            )
        )
    return found
