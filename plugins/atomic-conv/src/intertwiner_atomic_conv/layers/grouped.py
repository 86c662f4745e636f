"""Products of row slices with a matrix of their own: out[slice] = x[slice] W[slice] + b[slice].

Written as one function of autograd, because the gradient of a slice of W is otherwise a tensor of
the size of W for every slice. Second derivatives go through plain operations.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from intertwiner_atomic_conv.graphs.blocks import Slice

__all__ = ["grouped_linear"]


def grouped_linear(
    x: Float[Tensor, "rows inputs"],
    weight: Float[Tensor, "groups inputs outputs"],
    bias: Float[Tensor, "groups outputs"] | None,
    slices: Sequence[Slice],
) -> Float[Tensor, "rows outputs"]:
    """Each slice of rows times the matrix of its group, plus its bias.

    slices: (group, first row, row after the last), covering all rows in order; a group may come
    more than once. Differentiable twice.
    """
    if bias is None:
        bias = weight.new_zeros(())
    out: Tensor = _GroupedLinear.apply(x, weight, bias, tuple(slices))  # type: ignore[no-untyped-call]
    return out


def _plain(x: Tensor, weight: Tensor, bias: Tensor, slices: Sequence[Slice]) -> Tensor:
    if not slices:
        return x.new_zeros(0, weight.shape[2])
    rows = [x[first:stop] @ weight[group] for group, first, stop in slices]
    if bias.dim():
        rows = [row + bias[group] for row, (group, _, _) in zip(rows, slices, strict=True)]
    return torch.cat(rows)


class _GroupedLinear(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, slices: Sequence[Slice]
    ) -> Tensor:
        ctx.save_for_backward(x, weight, bias)
        ctx.slices = slices
        out = x.new_empty(len(x), weight.shape[2])
        for group, first, stop in slices:
            rows = x[first:stop]
            if bias.dim():
                torch.addmm(bias[group], rows, weight[group], out=out[first:stop])
            else:
                torch.mm(rows, weight[group], out=out[first:stop])
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, bias = ctx.saved_tensors
        needed = ctx.needs_input_grad[:3]
        if torch.is_grad_enabled():
            return (*_differentiable(ctx.saved_tensors, needed, ctx.slices, grads[0]), None)
        grad = grads[0].contiguous()
        by_x = torch.empty_like(x) if needed[0] else None
        by_weight = torch.zeros_like(weight) if needed[1] else None
        by_bias = torch.zeros_like(bias) if needed[2] else None
        for group, first, stop in ctx.slices:
            rows = grad[first:stop]
            if by_x is not None:
                torch.mm(rows, weight[group].t(), out=by_x[first:stop])
            if by_weight is not None:
                by_weight[group].addmm_(x[first:stop].t(), rows)
            if by_bias is not None and bias.dim():
                by_bias[group] += rows.sum(0)
        return by_x, by_weight, by_bias, None


def _differentiable(
    tensors: Sequence[Tensor], needed: Sequence[bool], slices: Sequence[Slice], grad: Tensor
) -> list[Tensor | None]:
    chosen = [tensor for tensor, need in zip(tensors, needed, strict=True) if need]
    out = _plain(*tensors, slices)
    found = iter(torch.autograd.grad(out, chosen, grad, create_graph=True, allow_unused=True))
    return [next(found) if need else None for need in needed]
