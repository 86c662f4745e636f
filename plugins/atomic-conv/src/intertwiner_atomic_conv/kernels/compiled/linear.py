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

__all__ = ["grouped_linear", "sizes", "table_of", "type_name", "zeros"]


def grouped_linear(
    x: Float[Tensor, "rows inputs"],
    weight: Float[Tensor, "groups inputs outputs"],
    slices: Sequence[Slice],
    place: Int[Tensor, " rows"] | None,
    size: int,
    bias: Float[Tensor, "groups outputs"] | None = None,
) -> Float[Tensor, "size outputs"]:
    """See `intertwiner_atomic_conv.kernels.grouped_linear`."""
    plain = partial(_reference, slices, place, size)
    loaded = library("grouped_linear")
    tensors = (x, weight) if bias is None else (x, weight, bias)
    if loaded is None:
        return plain(*tensors)
    table = table_of(slices)
    forward = partial(_forward, loaded, table, place, size)
    backward = partial(_backward, loaded, table, place)
    return differentiable(forward, backward, plain, *tensors)


def _reference(
    slices: Sequence[Slice],
    place: Tensor | None,
    size: int,
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
) -> Tensor:
    return reference.grouped_linear(x, weight, slices, place, size, bias)


def _forward(
    loaded: ctypes.CDLL,
    table: Tensor,
    place: Tensor | None,
    size: int,
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
) -> Tensor:
    out = x.new_zeros(size, weight.shape[2])
    shift = None if bias is None else bias.contiguous()
    tensors = x.contiguous(), weight.contiguous(), table, place, shift, out
    call(loaded, f"forward_{type_name(x)}", *tensors, *sizes(table, weight))
    return out


def _backward(
    loaded: ctypes.CDLL,
    table: Tensor,
    place: Tensor | None,
    grad: Tensor,
    needed: Sequence[bool],
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
) -> tuple[Tensor | None, ...]:
    rest = sizes(table, weight)
    found: list[Tensor | None] = [
        zeros(tensor) if need else None
        for tensor, need in zip((x, weight, bias), needed, strict=False)
    ]
    name = type_name(x)
    if found[0] is not None:
        call(loaded, f"by_rows_{name}", grad, weight.contiguous(), table, place, found[0], *rest)
    if found[1] is not None:
        call(loaded, f"by_weights_{name}", grad, x.contiguous(), table, place, found[1], *rest)
    if len(found) > 2 and found[2] is not None:
        call(loaded, f"by_bias_{name}", grad, table, place, found[2], len(table), rest[2])
    return tuple(found)


def table_of(slices: Sequence[Slice]) -> Int[Tensor, "slices 3"]:
    """Slices as the kernels read them."""
    return torch.tensor(slices, dtype=torch.int64).view(-1, 3)


def zeros(tensor: Tensor | None) -> Tensor | None:
    """Contiguous zeros of the same shape."""
    if tensor is None:
        return None
    return torch.zeros_like(tensor, memory_format=torch.contiguous_format)


def sizes(table: Tensor, weight: Tensor) -> tuple[int, int, int]:
    """Slices, inputs and outputs."""
    return len(table), weight.shape[1], weight.shape[2]


def type_name(x: Tensor) -> str:
    """Such as "float32": what the functions of a library end with."""
    return str(x.dtype).removeprefix("torch.")
