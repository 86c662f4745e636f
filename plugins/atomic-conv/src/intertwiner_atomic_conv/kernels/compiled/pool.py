"""`radial_pool` in C++: filters are evaluated in registers and never stored.

Without a compiler the reference serves, after one warning.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Sequence
from functools import partial

import torch
from jaxtyping import Float, Int
from torch import Tensor

from intertwiner_atomic_conv.kernels import reference
from intertwiner_atomic_conv.kernels.compiled.loading import call, library
from intertwiner_atomic_conv.kernels.function import differentiable

__all__ = ["radial_pool"]

WIDTH = 16
"""Filters are padded to a multiple of it; WIDTH of the source."""
ENDS_AT_ONCE = 1e6
"""pi / 2R of a filter that pads."""
LOG2_E = math.log2(math.e)


def radial_pool(
    distance: Float[Tensor, " edges"],
    pointer: Int[Tensor, " blocks+1"],
    cutoff: Float[Tensor, " filters"],
    centre: Float[Tensor, " filters"],
    exponent: Float[Tensor, " filters"],
) -> Float[Tensor, "blocks filters"]:
    """See `intertwiner_atomic_conv.kernels.radial_pool`."""
    plain = partial(_reference, pointer)
    loaded = library("radial_pool")
    tensors = distance, cutoff, centre, exponent
    if loaded is None:
        return plain(*tensors)
    pointer = pointer.contiguous()
    forward, backward = partial(_forward, loaded, pointer), partial(_backward, loaded, pointer)
    return differentiable(forward, backward, plain, *tensors)


def _reference(pointer: Tensor, distance: Tensor, *filters: Tensor) -> Tensor:
    return reference.radial_pool(distance, pointer, *filters)


def _forward(loaded: ctypes.CDLL, pointer: Tensor, distance: Tensor, *filters: Tensor) -> Tensor:
    blocks, count = len(pointer) - 1, len(filters[0])
    out = distance.new_empty(blocks, count)
    padded = _padded(filters)
    sizes = blocks, count, len(padded[0]), torch.get_num_threads()
    run = f"forward_{_name(distance)}"
    call(loaded, run, distance.detach().contiguous(), pointer, *padded, out, *sizes)
    return out


def _backward(
    loaded: ctypes.CDLL,
    pointer: Tensor,
    grad: Tensor,
    needed: Sequence[bool],
    distance: Tensor,
    *filters: Tensor,
) -> tuple[Tensor | None, ...]:
    blocks, count = len(pointer) - 1, len(filters[0])
    padded = _padded(filters)
    by_distance = torch.zeros_like(distance) if needed[0] else None
    sums = torch.zeros(3, len(padded[0]), dtype=torch.float64)
    sizes = blocks, count, len(padded[0]), torch.get_num_threads()
    run, r = f"backward_{_name(distance)}", distance.detach().contiguous()
    call(loaded, run, grad, r, pointer, *padded, by_distance, sums, *sizes)
    return by_distance, *_by_filters(sums[:, :count], filters)


def _name(distance: Tensor) -> str:
    return str(distance.dtype).removeprefix("torch.")


def _padded(filters: Sequence[Tensor]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """(pi / 2R, rho, s log2 e), padded with filters that end at once, and each tile's largest R."""
    cutoff, centre, exponent = (value.detach() for value in filters)
    missing = -len(cutoff) % WIDTH
    rate = torch.nn.functional.pad(math.pi / 2 / cutoff, (0, missing), value=ENDS_AT_ONCE)
    last = torch.nn.functional.pad(cutoff, (0, missing)).view(-1, WIDTH).amax(1)
    pad = [torch.nn.functional.pad(value, (0, missing)) for value in (centre, exponent * LOG2_E)]
    return rate, pad[0], pad[1], last


def _by_filters(
    sums: Float[Tensor, "3 filters"], filters: Sequence[Tensor]
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients by R, rho and s from the sums of the kernel."""
    cutoff, _, exponent = filters
    sums = sums.to(cutoff.dtype)
    return math.pi / (2 * cutoff.square()) * sums[0], 2 * exponent * sums[1], -sums[2]
