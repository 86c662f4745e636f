"""An implementation of `radial_pool` and of its first derivative as one differentiable function.

Where a second derivative is wanted, the first is taken through the reference instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from jaxtyping import Float, Int
from torch import Tensor

from intertwiner_atomic_conv.kernels import reference

__all__ = ["Backend", "apply_backend"]


class Backend(Protocol):
    """Value and first derivative, both without autograd."""

    def forward(
        self,
        distance: Float[Tensor, " edges"],
        pointer: Int[Tensor, " blocks+1"],
        filters: Sequence[Float[Tensor, " filters"]],
    ) -> Float[Tensor, "blocks filters"]:
        """Sums of filters over blocks; `filters` is (cutoff, centre, exponent)."""

    def backward(
        self,
        grad: Float[Tensor, "blocks filters"],
        distance: Float[Tensor, " edges"],
        pointer: Int[Tensor, " blocks+1"],
        filters: Sequence[Float[Tensor, " filters"]],
        wanted: tuple[bool, bool],
    ) -> tuple[Tensor | None, Sequence[Tensor] | None]:
        """Gradients by distances, and by the three filter values; None where not `wanted`."""


def apply_backend(
    backend: Backend,
    distance: Float[Tensor, " edges"],
    pointer: Int[Tensor, " blocks+1"],
    cutoff: Float[Tensor, " filters"],
    centre: Float[Tensor, " filters"],
    exponent: Float[Tensor, " filters"],
) -> Float[Tensor, "blocks filters"]:
    """`radial_pool` by `backend`, twice differentiable."""
    out: Tensor = _RadialPool.apply(backend, distance, pointer, cutoff, centre, exponent)  # type: ignore[no-untyped-call]
    return out


class _RadialPool(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, backend: Backend, *tensors: Tensor) -> Tensor:
        ctx.backend = backend
        ctx.save_for_backward(*tensors)
        distance, pointer, *filters = tensors
        return backend.forward(distance, pointer, filters)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        if torch.is_grad_enabled():
            return (None, *_through_reference(ctx.saved_tensors, ctx.needs_input_grad[1:], *grads))
        distance, pointer, *filters = ctx.saved_tensors
        wanted = ctx.needs_input_grad[1], any(ctx.needs_input_grad[3:])
        by_distance, by_filters = ctx.backend.backward(
            grads[0].contiguous(), distance, pointer, filters, wanted
        )
        return (None, by_distance, None, *(by_filters or (None, None, None)))


def _through_reference(
    tensors: Sequence[Tensor], needed: Sequence[bool], grad: Tensor
) -> list[Tensor | None]:
    chosen = [tensor for tensor, need in zip(tensors, needed, strict=True) if need]
    out = reference.radial_pool(*tensors)
    found = iter(torch.autograd.grad(out, chosen, grad, create_graph=True, allow_unused=True))
    return [next(found) if need else None for need in needed]
