"""`grouped_layer` in C++: bias, rectifier and dropout are part of the product's loop.

The activated rows are not kept: each derivative makes them anew, which is quicker than reading
them. Without a compiler the reference serves, after one warning.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from jaxtyping import Bool, Float, Int
from torch import Tensor

from intertwiner_atomic_conv.kernels import Slice, reference
from intertwiner_atomic_conv.kernels.compiled.linear import sizes, table_of, type_name, zeros
from intertwiner_atomic_conv.kernels.compiled.loading import call, library
from intertwiner_atomic_conv.kernels.function import differentiable

__all__ = ["grouped_layer"]


def grouped_layer(
    x: Float[Tensor, "rows inputs"],
    shift: Float[Tensor, "groups inputs"],
    weight: Float[Tensor, "groups inputs outputs"],
    slices: Sequence[Slice],
    kept: Bool[Tensor, "period inputs"] | None = None,
    factor: float = 1.0,
    bias: Float[Tensor, "groups outputs"] | None = None,
) -> Float[Tensor, "rows outputs"]:
    """See `intertwiner_atomic_conv.kernels.grouped_layer`."""
    plain = partial(_reference, slices, kept, factor)
    loaded = library("grouped_linear")
    tensors = (x, shift, weight) if bias is None else (x, shift, weight, bias)
    if loaded is None:
        return plain(*tensors)
    mask = None if kept is None else kept.contiguous()
    kernel = _Kernel(loaded, table_of(slices), mask, float(factor))
    return differentiable(kernel.forward, kernel.backward, plain, *tensors)


def _reference(
    slices: Sequence[Slice],
    kept: Tensor | None,
    factor: float,
    x: Tensor,
    shift: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
) -> Tensor:
    return reference.grouped_layer(x, shift, weight, slices, kept, factor, bias)


@dataclass(frozen=True, slots=True)
class _Kernel:
    loaded: ctypes.CDLL
    table: Int[Tensor, "slices 3"]
    kept: Tensor | None
    factor: float

    def forward(
        self, x: Tensor, shift: Tensor, weight: Tensor, bias: Tensor | None = None
    ) -> Tensor:
        out = x.new_zeros(len(x), weight.shape[2])
        end = None if bias is None else bias.contiguous()
        given = x.contiguous(), shift.contiguous(), self.kept, weight.contiguous()
        self._call("layer_forward", x, *given, self.table, end, out, *self._rest(weight))
        return out

    def backward(
        self,
        grad: Tensor,
        needed: Sequence[bool],
        x: Tensor,
        shift: Tensor,
        weight: Tensor,
        bias: Tensor | None = None,
    ) -> tuple[Tensor | None, ...]:
        rest = self._rest(weight)
        given = grad, x.contiguous(), shift.contiguous(), self.kept
        found: list[Tensor | None] = [None] * len(needed)
        if needed[0] or needed[1]:
            found[:2] = zeros(x), zeros(shift)
            inner = *given, weight.contiguous(), self.table, *found[:2]
            self._call("layer_by_rows", x, *inner, *rest)
        if needed[2]:
            found[2] = zeros(weight)
            self._call("layer_by_weights", x, *given, self.table, found[2], *rest)
        if len(needed) > 3 and needed[3]:
            found[3] = zeros(bias)
            ends = len(self.table), weight.shape[2]
            self._call("by_bias", x, grad, self.table, None, found[3], *ends)
        return tuple(found)

    def _rest(self, weight: Tensor) -> tuple[float, ...]:
        period = 1 if self.kept is None else len(self.kept)
        return self.factor, period, *sizes(self.table, weight)

    def _call(self, name: str, x: Tensor, *arguments: Tensor | float | None) -> None:
        call(self.loaded, f"{name}_{type_name(x)}", *arguments)
