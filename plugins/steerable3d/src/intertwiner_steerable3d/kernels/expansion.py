"""`expand_kernel`: flat weights to the kernel of a plain convolution, and back for gradients.

Both directions are linear and adjoint to each other, so the derivative of each is the other: they
are differentiable to any order. They are registered operations of torch, which `torch.compile`
takes as they are.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from intertwiner_steerable3d.kernels import reference
from intertwiner_steerable3d.kernels.plan import Plan, get_plan

__all__ = ["expand_kernel", "reduce_kernel"]


def expand_kernel(
    weight: Float[Tensor, " weights"], plan: Plan
) -> Float[Tensor, "rows columns x y z"]:
    """The kernel [out, in, x, y, z]; weights already carry the plan's scales."""
    kernel: Tensor = _expand(weight, plan.handle)
    return kernel


def reduce_kernel(
    kernel: Float[Tensor, "rows columns x y z"], plan: Plan
) -> Float[Tensor, " weights"]:
    """The adjoint of `expand_kernel`."""
    weight: Tensor = _reduce(kernel, plan.handle)
    return weight


@torch.library.custom_op("intertwiner_steerable3d::expand", mutates_args=())
def _expand(weight: Tensor, plan: int) -> Tensor:
    return reference.expand(weight, get_plan(plan))


@torch.library.custom_op("intertwiner_steerable3d::reduce", mutates_args=())
def _reduce(kernel: Tensor, plan: int) -> Tensor:
    return reference.reduce(kernel.contiguous(), get_plan(plan))


@_expand.register_fake
def _(weight: Tensor, plan: int) -> Tensor:
    return weight.new_empty(get_plan(plan).shape)


@_reduce.register_fake
def _(kernel: Tensor, plan: int) -> Tensor:
    return kernel.new_empty(get_plan(plan).weights)


def _remember(ctx: Any, inputs: tuple[Tensor, int], output: Tensor) -> None:
    ctx.plan = inputs[1]


def _expand_backward(context: Any, grad: Tensor) -> tuple[Tensor, None]:
    return _reduce(grad, context.plan), None


def _reduce_backward(context: Any, grad: Tensor) -> tuple[Tensor, None]:
    return _expand(grad, context.plan), None


_expand.register_autograd(_expand_backward, setup_context=_remember)
_reduce.register_autograd(_reduce_backward, setup_context=_remember)
