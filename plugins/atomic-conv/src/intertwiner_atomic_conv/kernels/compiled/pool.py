"""`radial_pool` in C++: filters are evaluated in registers and never stored.

Without a compiler the reference serves, after one warning.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from intertwiner_atomic_conv.kernels import reference
from intertwiner_atomic_conv.kernels.compiled.loading import call, library
from intertwiner_atomic_conv.kernels.function import apply_backend

__all__ = ["radial_pool"]

WIDTH = 16
"""Filters are padded to a multiple of it; WIDTH of the source."""
ENDS_AT_ONCE = 1e6
"""pi / 2R of a filter that pads."""


class _Compiled:
    def __init__(self, loaded: ctypes.CDLL) -> None:
        self.loaded = loaded

    def forward(
        self, distance: Tensor, pointer: Tensor, filters: Sequence[Tensor]
    ) -> Float[Tensor, "blocks filters"]:
        blocks, count = len(pointer) - 1, len(filters[0])
        out = distance.new_empty(blocks, count)
        padded = _padded(filters)
        edges = distance.detach().contiguous(), pointer.contiguous()
        sizes = blocks, count, len(padded[0]), torch.get_num_threads()
        call(self.loaded, f"forward_{_name(distance)}", *edges, *padded, out, *sizes)
        return out

    def backward(
        self,
        grad: Tensor,
        distance: Tensor,
        pointer: Tensor,
        filters: Sequence[Tensor],
        wanted: tuple[bool, bool],
    ) -> tuple[Tensor | None, Sequence[Tensor] | None]:
        blocks, count = len(pointer) - 1, len(filters[0])
        padded = _padded(filters)
        by_distance = torch.zeros_like(distance) if wanted[0] else None
        sums = torch.zeros(3, len(padded[0]), dtype=torch.float64)
        edges = distance.detach().contiguous(), pointer.contiguous()
        sizes = blocks, count, len(padded[0]), torch.get_num_threads()
        name = f"backward_{_name(distance)}"
        call(self.loaded, name, grad, *edges, *padded, by_distance, sums, *sizes)
        return by_distance, _by_filters(sums[:, :count], filters) if wanted[1] else None


def _name(distance: Tensor) -> str:
    return str(distance.dtype).removeprefix("torch.")


def _padded(filters: Sequence[Tensor]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """(pi / 2R, rho, s log2 e), padded with filters that end at once, and each tile's largest R."""
    cutoff, centre, exponent = (value.detach() for value in filters)
    missing = -len(cutoff) % WIDTH
    rate = torch.nn.functional.pad(math.pi / 2 / cutoff, (0, missing), value=ENDS_AT_ONCE)
    last = torch.nn.functional.pad(cutoff, (0, missing)).view(-1, WIDTH).amax(1)
    pad = [torch.nn.functional.pad(value, (0, missing)) for value in (centre, exponent)]
    return rate, pad[0], pad[1] * math.log2(math.e), last


def _by_filters(
    sums: Float[Tensor, "3 filters"], filters: Sequence[Tensor]
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients by R, rho and s from the sums of the kernel."""
    cutoff, centre, exponent = filters
    dtype = cutoff.dtype
    return (
        math.pi / (2 * cutoff.square()) * sums[0].to(dtype),
        2 * exponent * sums[1].to(dtype),
        -sums[2].to(dtype),
    )


def radial_pool(
    distance: Float[Tensor, " edges"],
    pointer: Int[Tensor, " blocks+1"],
    cutoff: Float[Tensor, " filters"],
    centre: Float[Tensor, " filters"],
    exponent: Float[Tensor, " filters"],
) -> Float[Tensor, "blocks filters"]:
    """See `intertwiner_atomic_conv.kernels.radial_pool`."""
    loaded = library("radial_pool")
    if loaded is None:
        return reference.radial_pool(distance, pointer, cutoff, centre, exponent)
    return apply_backend(_Compiled(loaded), distance, pointer, cutoff, centre, exponent)
