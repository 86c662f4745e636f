"""`voxelise` in C++ with its first derivative; plain torch where no compiler is found."""

from __future__ import annotations

from importlib import resources
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.autograd.function import once_differentiable

from intertwiner.compiled import OPENMP, Library, call, try_load
from intertwiner_steerable3d.voxels import scatter

__all__ = ["library", "voxelise"]

NAMES = {torch.float32: "float32", torch.float64: "float64"}


def library() -> Library | None:
    """The compiled kernel, None where nothing can be compiled."""
    return try_load("steerable3d-voxelise", _sources, flags=OPENMP, instead="plain torch")


def _sources() -> dict[str, str]:
    folder = resources.files("intertwiner_steerable3d.voxels.compiled")
    return {"voxelise": folder.joinpath("voxelise.cpp").read_text(encoding="utf-8")}


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
    loaded = library()
    if loaded is None:
        return scatter.voxelise(places, weights, widths, channel, ptr, channels, sides, reach)
    shape = (channels, sides, float(reach))
    out: Tensor = _Voxelise.apply(loaded, shape, places, weights, widths, channel, ptr)
    return out


class _Voxelise(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        loaded: Library,
        shape: tuple[int, tuple[int, int, int], float],
        *given: Tensor,
    ) -> Tensor:
        given = tuple(item.contiguous() for item in given)
        channels, sides, _ = shape
        places, ptr = given[0], given[4]
        out = places.new_empty(len(ptr) - 1, channels, *sides)
        call(loaded, f"forward_{NAMES[out.dtype]}", *given, *_sizes(shape, ptr), out)
        ctx.loaded, ctx.shape = loaded, shape
        ctx.save_for_backward(*given)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slopes: Tensor) -> tuple[Tensor | None, ...]:
        given = ctx.saved_tensors
        found = [torch.empty_like(item) for item in given[:3]]
        name = f"backward_{NAMES[slopes.dtype]}"
        sizes = _sizes(ctx.shape, given[4])
        call(ctx.loaded, name, slopes.contiguous(), *given, *sizes, *found)
        return (None, None, *found, None, None)


def _sizes(shape: tuple[int, tuple[int, int, int], float], ptr: Tensor) -> tuple[int | float, ...]:
    channels, sides, reach = shape
    return (len(ptr) - 1, channels, *sides, reach, torch.get_num_threads())
