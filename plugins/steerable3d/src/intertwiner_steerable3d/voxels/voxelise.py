"""From atoms in angstrom to volumes: checks, normalisation, and the operation itself."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from intertwiner.kernels import dispatch
from intertwiner_steerable3d.errors import InvalidInput, VoxelWarning
from intertwiner_steerable3d.voxels.grid import Grid

__all__ = ["REACH", "Normalise", "Voxels", "voxelise_atoms"]

Normalise = Literal["peak", "mass", "grid"]
REACH = 4.0
"""Widths after which a Gaussian (3.4e-4 of its peak there) is cut off."""

_SHARP = 0.5


@dataclass(frozen=True, slots=True)
class Voxels:
    """volume: `[grids, channels, x, y, z]`. outside: atoms of each grid that left nothing in it."""

    volume: Float[Tensor, "grids channels x y z"]
    outside: Int[Tensor, " grids"]


def voxelise_atoms(
    pos: Float[Tensor, "atoms 3"],
    channel: Int[Tensor, " atoms"],
    ptr: Int[Tensor, " grids+1"],
    grid: Grid,
    *,
    channels: int,
    sigma: float | Float[Tensor, " atoms"] = 1.0,
    weight: Float[Tensor, " atoms"] | None = None,
    normalise: Normalise = "peak",
    reach: float = REACH,
) -> Voxels:
    """Every atom as a Gaussian on its grid; differentiable in positions, widths and weights.

    pos: in angstrom about the centre of each grid. ptr: grid g has the atoms from ptr[g] to
    ptr[g + 1]. sigma: standard deviations in angstrom. weight: 1 where not given.
    normalise: "peak" has the weight at the atom, "mass" has it as the integral in voxels, "grid"
    as the sum over the grid's voxels whatever the atom's place in it (as the paper for CATH);
    atoms outside the box then leave nothing.

    Raises `InvalidInput` for a position or width that cannot be, naming the atom. Warns when
    Gaussians are sharper than half a voxel, and when a grid misses all its atoms.
    """
    widths = _widths(pos, sigma, grid, channel, channels)
    places = grid.places(pos)
    seen = _seen(places.detach(), widths.detach(), grid, reach if normalise != "grid" else None)
    weights = places.new_ones(len(pos)) if weight is None else weight
    if normalise == "mass":
        weights = weights / (widths.prod(dim=1) * (2 * math.pi) ** 1.5)
    elif normalise == "grid":
        weights = torch.where(seen, weights / _sums(places, widths, grid, reach, seen), 0.0)
    run = dispatch("voxelise", pos.device, pos.dtype)
    volume = run(places, weights, widths, channel, ptr, channels, grid.sides, reach)
    return Voxels(volume, _missed(seen, ptr))


def _widths(
    pos: Tensor, sigma: float | Tensor, grid: Grid, channel: Tensor, channels: int
) -> Float[Tensor, "atoms 3"]:
    """Standard deviations in voxels; everything given is looked over on the way."""
    bad = (~torch.isfinite(pos)).any(dim=1).nonzero()
    if len(bad):
        atom = int(bad[0])
        raise InvalidInput(f"atom {atom}: position {pos[atom].tolist()} is not finite")
    wrong = ((channel < 0) | (channel >= channels)).nonzero()
    if len(wrong):
        atom = int(wrong[0])
        raise InvalidInput(f"atom {atom}: channel {int(channel[atom])} of {channels}")
    given = torch.as_tensor(sigma, dtype=pos.dtype, device=pos.device).expand(len(pos))
    wrong = (~(given > 0)).nonzero()
    if len(wrong) or (isinstance(sigma, float | int) and not sigma > 0):
        where = f"atom {int(wrong[0])}: " if len(wrong) else ""
        value = float(given[wrong[0]]) if len(wrong) else sigma
        raise InvalidInput(f"{where}sigma {value} angstrom, must be positive")
    widths = given[:, None] / pos.new_tensor(grid.steps)
    if len(pos) and float(widths.detach().min()) < _SHARP:
        warnings.warn(
            f"Gaussians of {float(widths.detach().min()):.2f} voxels are aliased: kernels of "
            f"order 1 and up are wrong by more than 10 % there; take sigma >= {_SHARP} voxels",
            VoxelWarning,
            stacklevel=3,
        )
    return widths


def _seen(
    places: Tensor, widths: Tensor, grid: Grid, reach: float | None
) -> Bool[Tensor, " atoms"]:
    """Whether some voxel is within reach; without a reach, whether the atom is in the box."""
    last = places.new_tensor(grid.sides) - 1
    if reach is None:
        return ((places >= -0.5) & (places <= last + 0.5)).all(dim=1)
    low = torch.ceil(places - reach * widths).clamp(min=0)
    high = torch.minimum(torch.floor(places + reach * widths), last)
    return (low <= high).all(dim=1)


def _sums(places: Tensor, widths: Tensor, grid: Grid, reach: float, seen: Tensor) -> Tensor:
    """Sum of every atom's Gaussian over the voxels: a product of sums along the axes."""
    total = places.new_ones(len(places))
    for axis, side in enumerate(grid.sides):
        voxel = torch.arange(side, dtype=places.dtype, device=places.device)
        offset = (voxel - places[:, axis, None]) / widths[:, axis, None]
        near = offset.abs() <= reach
        total = total * torch.where(near, torch.exp(-offset.square() / 2), 0.0).sum(dim=1)
    return torch.where(seen & (total > 0), total, 1.0)


def _missed(seen: Bool[Tensor, " atoms"], ptr: Int[Tensor, " grids+1"]) -> Int[Tensor, " grids"]:
    cumulated = torch.cat([ptr.new_zeros(1), (~seen).long().cumsum(0)])
    missed = cumulated[ptr].diff()
    lost = ((missed == ptr.diff()) & (missed > 0)).nonzero()
    if len(lost):
        warnings.warn(
            f"grid {int(lost[0])}: all its {int(missed[lost[0]])} atoms lie outside; it is zero. "
            "Are the positions in angstrom about the grid's centre?",
            VoxelWarning,
            stacklevel=3,
        )
    return missed
