"""`grouped_linear` in C++: no call per slice, and sums go straight to their place.

Without a compiler the reference serves, after one warning.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from functools import partial

import torch
from jaxtyping import Float, Int
from torch import Tensor

from intertwiner_atomic_conv.kernels import Slice, reference
from intertwiner_atomic_conv.kernels.compiled.loading import call, library
from intertwiner_atomic_conv.kernels.function import differentiable

__all__ = ["grouped_linear"]


def grouped_linear(
    x: Float[Tensor, "rows inputs"],
    weight: Float[Tensor, "groups inputs outputs"],
    slices: Sequence[Slice],
    place: Int[Tensor, " rows"] | None,
    size: int,
) -> Float[Tensor, "size outputs"]:
    """See `intertwiner_atomic_conv.kernels.grouped_linear`."""
    plain = partial(_reference, slices, place, size)
    loaded = library("grouped_linear")
    if loaded is None:
        return plain(x, weight)
    table = torch.tensor(slices, dtype=torch.int64).view(-1, 3)
    forward = partial(_forward, loaded, table, place, size)
    backward = partial(_backward, loaded, table, place)
    return differentiable(forward, backward, plain, x, weight)


def _reference(
    slices: Sequence[Slice], place: Tensor | None, size: int, x: Tensor, weight: Tensor
) -> Tensor:
    return reference.grouped_linear(x, weight, slices, place, size)


def _forward(
    loaded: ctypes.CDLL, table: Tensor, place: Tensor | None, size: int, x: Tensor, weight: Tensor
) -> Tensor:
    out = x.new_zeros(size, weight.shape[2])
    run = f"forward_{_name(x)}"
    call(
        loaded, run, x.contiguous(), weight.contiguous(), table, place, out, *_sizes(table, weight)
    )
    return out


def _backward(
    loaded: ctypes.CDLL,
    table: Tensor,
    place: Tensor | None,
    grad: Tensor,
    needed: Sequence[bool],
    x: Tensor,
    weight: Tensor,
) -> tuple[Tensor | None, Tensor | None]:
    by_x = torch.zeros_like(x, memory_format=torch.contiguous_format) if needed[0] else None
    by_weight = (
        torch.zeros_like(weight, memory_format=torch.contiguous_format) if needed[1] else None
    )
    rest = _sizes(table, weight)
    if by_x is not None:
        run = f"by_rows_{_name(x)}"
        call(loaded, run, grad, weight.contiguous(), table, place, by_x, *rest)
    if by_weight is not None:
        run = f"by_weights_{_name(x)}"
        call(loaded, run, grad, x.contiguous(), table, place, by_weight, *rest)
    return by_x, by_weight


def _sizes(table: Tensor, weight: Tensor) -> tuple[int, int, int]:
    return len(table), weight.shape[1], weight.shape[2]


def _name(x: Tensor) -> str:
    return str(x.dtype).removeprefix("torch.")
