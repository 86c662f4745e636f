"""A linear map and its adjoint as one operation that is differentiable to any order.

The derivative of each is the other. Both are registered operations of torch, which `torch.compile`
takes as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from intertwiner_steerable3d.kernels.plan import get_plan

__all__ = ["linear_operation"]

Linear = Callable[[Tensor, int], Tensor]


def linear_operation(name: str, expand: Linear, reduce: Linear) -> Linear:
    """`expand` with `reduce` as its derivative, registered under `intertwiner_steerable3d`."""

    def forward(weight: Tensor, plan: int) -> Tensor:
        return expand(weight, plan)

    def backward(kernel: Tensor, plan: int) -> Tensor:
        return reduce(kernel.contiguous(), plan)

    def remember(ctx: Any, inputs: tuple[Tensor, int], output: Tensor) -> None:
        ctx.plan = inputs[1]

    def to_weight(ctx: Any, slope: Tensor) -> tuple[Tensor, None]:
        return adjoint(slope, ctx.plan), None

    def to_kernel(ctx: Any, slope: Tensor) -> tuple[Tensor, None]:
        return operation(slope, ctx.plan), None

    register = torch.library.custom_op
    operation = register(f"intertwiner_steerable3d::{name}_expand", forward, mutates_args=())
    adjoint = register(f"intertwiner_steerable3d::{name}_reduce", backward, mutates_args=())
    operation.register_fake(lambda weight, plan: weight.new_empty(get_plan(plan).shape))
    adjoint.register_fake(lambda kernel, plan: kernel.new_empty(get_plan(plan).weights))
    operation.register_autograd(to_weight, setup_context=remember)
    adjoint.register_autograd(to_kernel, setup_context=remember)
    found: Linear = operation
    return found
