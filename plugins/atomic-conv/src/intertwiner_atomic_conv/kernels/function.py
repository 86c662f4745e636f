"""An implementation of an operation and of its first derivative as one differentiable function.

Where a second derivative is wanted, the first is taken through the reference instead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

__all__ = ["Backward", "differentiable"]

Forward = Callable[..., Tensor]
Backward = Callable[..., Sequence[Tensor | None]]
"""(gradient of the output, which are needed, *tensors) -> gradient of every tensor."""


def differentiable(
    forward: Forward, backward: Backward, reference: Forward, *tensors: Tensor
) -> Tensor:
    """`forward(*tensors)`, twice differentiable by the floating `tensors`.

    forward, backward: without autograd. reference: the same values from plain operations.
    """
    out: Tensor = _Function.apply(forward, backward, reference, *tensors)
    return out


class _Function(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, forward: Forward, backward: Backward, reference: Forward, *tensors: Tensor
    ) -> Tensor:
        ctx.by_hand, ctx.reference = backward, reference
        ctx.save_for_backward(*tensors)
        return forward(*tensors)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        needed, tensors = ctx.needs_input_grad[3:], ctx.saved_tensors
        if torch.is_grad_enabled():
            found = _through(ctx.reference, tensors, needed, grads[0])
        else:
            found = ctx.by_hand(grads[0].contiguous(), needed, *tensors)
        return None, None, None, *found


def _through(
    reference: Forward, tensors: Sequence[Tensor], needed: Sequence[bool], grad: Tensor
) -> list[Tensor | None]:
    chosen = [tensor for tensor, need in zip(tensors, needed, strict=True) if need]
    out = reference(*tensors)
    found = iter(torch.autograd.grad(out, chosen, grad, create_graph=True, allow_unused=True))
    return [next(found) if need else None for need in needed]
