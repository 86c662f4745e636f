"""`voxelise` by the Triton kernels, with its first derivative."""

from __future__ import annotations

import os
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.autograd.function import once_differentiable

from intertwiner_steerable3d.errors import InvalidInput

__all__ = ["bins", "voxelise"]

TILE = (8, 8, 8)
Shape = tuple[int, tuple[int, int, int], float]


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
    if not places.is_cuda and os.environ.get("TRITON_INTERPRET") != "1":
        raise InvalidInput(
            f"Triton kernels run on a CUDA device, not on {places.device}; TRITON_INTERPRET=1 "
            "before the start of Python runs them interpreted"
        )
    grids = len(ptr) - 1
    owner = torch.repeat_interleave(torch.arange(grids, device=ptr.device), ptr.diff())
    volume = owner * channels + channel
    out: Tensor = _Voxelise.apply((grids * channels, sides, reach), places, weights, widths, volume)
    return out.unflatten(0, (grids, channels))


class _Voxelise(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, shape: Shape, *given: Tensor) -> Tensor:
        from intertwiner_steerable3d.voxels.triton.source import gather

        places, weights, widths, volume = (item.contiguous() for item in given)
        volumes, sides, reach = shape
        out = places.new_empty(volumes, *sides)
        counts = _tiles(sides)
        first, atoms = bins(places, widths, volume, shape)
        if out.numel():
            gather[(volumes, counts[0] * counts[1] * counts[2])](
                *(places, weights, widths, first, atoms, out, reach, *sides),
                *(counts[1], counts[2], *TILE),
            )
        ctx.shape = shape
        ctx.save_for_backward(places, weights, widths, volume)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slopes: Tensor) -> tuple[Tensor | None, ...]:
        from intertwiner_steerable3d.voxels.triton.source import slopes_of_atoms

        places, weights, widths, volume = ctx.saved_tensors
        _, sides, reach = ctx.shape
        found = [torch.zeros_like(item) for item in (places, weights, widths)]
        if len(places):
            box = 2 * int(torch.ceil(reach * widths.max())) + 1
            slopes_of_atoms[(len(places),)](
                *(slopes.contiguous(), places, weights, widths, volume, *found, reach, *sides),
                1 << (box - 1).bit_length(),
            )
        return (None, *found, None)


def _tiles(sides: tuple[int, int, int]) -> tuple[int, int, int]:
    """Tiles along every axis."""
    x, y, z = (-(-side // tile) for side, tile in zip(sides, TILE, strict=True))
    return x, y, z


def bins(
    places: Float[Tensor, "atoms 3"],
    widths: Float[Tensor, "atoms 3"],
    volume: Int[Tensor, " atoms"],
    shape: Shape,
) -> tuple[Int[Tensor, " slots+1"], Int[Tensor, " entries"]]:
    """The atoms that reach each tile of each volume: where its list begins, and all lists.

    Atoms of a list are in their own order.
    """
    volumes, sides, reach = shape
    counts, tile = places.new_tensor(_tiles(sides)).long(), places.new_tensor(TILE)
    last = places.new_tensor(sides) - 1
    low = torch.ceil(places - reach * widths).clamp(min=0)
    high = torch.minimum(torch.floor(places + reach * widths), last)
    some = (low <= high).all(dim=1)
    begin = (low / tile).long()
    extent = torch.where(some[:, None], (high / tile).long() - begin + 1, 0)
    most = [int(n) for n in extent.max(dim=0).values] if len(places) else [0, 0, 0]
    steps = torch.cartesian_prod(*(torch.arange(n, device=places.device) for n in most))
    atom, step = (steps.view(-1, 3)[None] < extent[:, None]).all(dim=2).nonzero().unbind(1)
    x, y, z = (begin[atom] + steps.view(-1, 3)[step]).unbind(1)
    slots = volumes * int(counts.prod())
    slot = volume[atom] * counts.prod() + (x * counts[1] + y) * counts[2] + z
    order = torch.argsort(slot, stable=True)
    first = torch.zeros(slots + 1, dtype=torch.int64, device=places.device)
    first[1:] = torch.bincount(slot, minlength=slots).cumsum(0)
    return first, atom[order]
