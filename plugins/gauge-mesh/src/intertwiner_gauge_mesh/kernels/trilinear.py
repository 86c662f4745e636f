"""Derivatives of any order of the operation from two passes over the edges.

Features enter linearly, and so does each parameter: with a cotangent g of the output, the number
T(g, W, x) = g . (out(x; W) - bias) gives the output, the gradient of x and the gradient of W when
one of its three arguments is left open. Hence the derivative of a gradient is made of the same
passes with other arguments, and needs no kernel of its own. The map of a vertex to itself goes
with W, and the bias needs g alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import torch
from jaxtyping import Float
from torch import Tensor

from intertwiner_gauge_mesh.graph import EdgeGraph
from intertwiner_gauge_mesh.kernels import reference
from intertwiner_gauge_mesh.types import FeatureType

__all__ = ["Gradients", "Operation", "Passes", "Problem", "Wanted", "operation"]

Operation = Callable[..., Tensor]
"""As `intertwiner_gauge_mesh.kernels.gauge_aggregate`."""


class Problem(NamedTuple):
    """What no derivative is taken of."""

    graph: EdgeGraph
    type_in: FeatureType
    type_out: FeatureType


class Wanted(NamedTuple):
    """Which gradients are asked for."""

    x: bool
    weight: bool
    self_weight: bool
    bias: bool


class Gradients(NamedTuple):
    """The gradients asked for, None for the others."""

    x: Tensor | None
    weight: Tensor | None
    self_weight: Tensor | None
    bias: Tensor | None


class Passes(Protocol):
    """The two passes of a kernel; all tensors are detached."""

    def forward(
        self,
        problem: Problem,
        x: Tensor,
        weight: Tensor,
        self_weight: Tensor | None,
        bias: Tensor | None,
    ) -> Tensor:
        """The operation."""
        ...

    def backward(
        self,
        problem: Problem,
        g: Tensor,
        x: Tensor,
        weight: Tensor,
        self_weight: Tensor | None,
        wanted: Wanted,
    ) -> Gradients:
        """The gradients for the cotangent g of the output."""
        ...


def operation(passes_for: Callable[[Tensor], Passes]) -> Operation:
    """`gauge_aggregate` by the passes of one kernel, differentiable to any order.

    passes_for: features -> the passes that serve them. Where the angles of a graph carry gradients
    of their own, the definition serves.
    """

    def gauge_aggregate(
        x: Float[Tensor, "vertices width_in"],
        weight: Float[Tensor, "rings width_in width_out"],
        self_weight: Float[Tensor, " self_numbers"] | None,
        bias: Float[Tensor, " width_out"] | None,
        graph: EdgeGraph,
        type_in: FeatureType,
        type_out: FeatureType,
    ) -> Float[Tensor, "vertices width_out"]:
        if graph.differentiable:
            return reference.gauge_aggregate(x, weight, self_weight, bias, graph, type_in, type_out)
        problem = Problem(graph.cast(x.dtype), type_in, type_out)
        out: Tensor = _Convolve.apply(passes_for(x), problem, x, weight, self_weight, bias)
        return out

    return gauge_aggregate


class _Convolve(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        passes: Passes,
        problem: Problem,
        x: Tensor,
        weight: Tensor,
        self_weight: Tensor | None,
        bias: Tensor | None,
    ) -> Tensor:
        ctx.passes, ctx.problem = passes, problem
        ctx.save_for_backward(x, weight, self_weight)
        return passes.forward(problem, x, weight, self_weight, bias)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Any, ...]:
        x, weight, self_weight = ctx.saved_tensors
        wanted = Wanted(*ctx.needs_input_grad[2:])
        found = _Gradients.apply(ctx.passes, ctx.problem, wanted, g, x, weight, self_weight)
        return None, None, *found


class _Gradients(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        passes: Passes,
        problem: Problem,
        wanted: Wanted,
        g: Tensor,
        x: Tensor,
        weight: Tensor,
        self_weight: Tensor | None,
    ) -> tuple[Tensor | None, ...]:
        ctx.passes, ctx.problem = passes, problem
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(g, x, weight, self_weight)
        return tuple(passes.backward(problem, g.contiguous(), x, weight, self_weight, wanted))

    @staticmethod
    def backward(ctx: Any, *cotangents: Tensor | None) -> tuple[Any, ...]:
        along_x, along_weight, along_self, along_bias = cotangents
        g, x, weight, self_weight = ctx.saved_tensors
        wants_g, wants_x, wants_weight, wants_self = ctx.needs_input_grad[3:]
        fixed = ctx.passes, ctx.problem
        grad_g = grad_x = grad_weight = grad_self = None
        along = any(item is not None for item in (along_weight, along_self, along_bias))
        moved = torch.zeros_like(weight) if along_weight is None else along_weight
        if wants_g and along_x is not None:
            grad_g = _Convolve.apply(*fixed, along_x, weight, self_weight, None)
        if wants_g and along:
            more = _Convolve.apply(*fixed, x, moved, along_self, along_bias)
            grad_g = more if grad_g is None else grad_g + more
        if wants_x and along:
            wanted = Wanted(x=True, weight=False, self_weight=False, bias=False)
            grad_x = _Gradients.apply(*fixed, wanted, g, x, moved, along_self)[0]
        if (wants_weight or wants_self) and along_x is not None:
            wanted = Wanted(False, wants_weight, wants_self, False)
            found = _Gradients.apply(*fixed, wanted, g, along_x, weight, self_weight)
            grad_weight, grad_self = found[1], found[2]
        return None, None, None, grad_g, grad_x, grad_weight, grad_self
