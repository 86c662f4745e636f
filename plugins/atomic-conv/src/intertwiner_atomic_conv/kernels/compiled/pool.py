"""`radial_pool` in C++: filters are evaluated in registers and never stored.

Without a compiler the reference serves, after one warning.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from functools import partial

import torch
from jaxtyping import Float, Int
from torch import Tensor

from intertwiner_atomic_conv.kernels import reference
from intertwiner_atomic_conv.kernels.compiled.loading import call, library
from intertwiner_atomic_conv.kernels.function import differentiable

__all__ = ["radial_pool"]


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
    given = distance.contiguous(), pointer, *(values.contiguous() for values in filters)
    sizes = blocks, count, torch.get_num_threads()
    call(loaded, f"forward_{_name(distance)}", *given, out, *sizes)
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
    by_distance = torch.zeros_like(distance) if needed[0] else None
    by_filters = grad.new_empty(3, count)
    given = distance.contiguous(), pointer, *(values.contiguous() for values in filters)
    sizes = blocks, count, torch.get_num_threads()
    call(loaded, f"backward_{_name(distance)}", grad, *given, by_distance, by_filters, *sizes)
    return by_distance, *by_filters.unbind()


def _name(distance: Tensor) -> str:
    return str(distance.dtype).removeprefix("torch.")
