"""Messages by type and their sums, in one differentiable operation."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from intertwiner_fedchem.layers.message_plan import Step

__all__ = ["message_sum"]


def message_sum(
    states: Float[Tensor, "previous width"], matrices: Float[Tensor, "types width out"], step: Step
) -> Float[Tensor, "rows out"]:
    """sum over messages m into a row of h_source(m) W_type(m); differentiable once."""
    summed: Tensor = _MessageSum.apply(states, matrices, step)
    return summed


class _MessageSum(torch.autograd.Function):
    """One matrix product for every type; nothing of the size of edges x width x width exists."""

    @staticmethod
    def forward(ctx: Any, states: Tensor, matrices: Tensor, step: Step) -> Tensor:
        rows = states.index_select(0, step.source)
        messages = rows.new_empty(len(rows), matrices.shape[2])
        for kind, first, last in _groups(step):
            torch.mm(rows[first:last], matrices[kind], out=messages[first:last])
        ctx.save_for_backward(rows, matrices)
        ctx.step, ctx.previous = step, len(states)
        summed = messages.new_zeros(len(step.previous), messages.shape[1])
        return summed.index_add_(0, step.target, messages.index_select(0, step.message))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, given: Tensor) -> tuple[Tensor, Tensor, None]:
        rows, matrices = ctx.saved_tensors
        step: Step = ctx.step
        messages = given.new_zeros(len(rows), given.shape[1])
        messages.index_add_(0, step.message, given.index_select(0, step.target))
        of_rows, of_matrices = torch.empty_like(rows), torch.zeros_like(matrices)
        for kind, first, last in _groups(step):
            part = messages[first:last]
            torch.mm(rows[first:last].T, part, out=of_matrices[kind])
            torch.mm(part, matrices[kind].T, out=of_rows[first:last])
        of_states = rows.new_zeros(ctx.previous, rows.shape[1])
        return of_states.index_add_(0, step.source, of_rows), of_matrices, None


def _groups(step: Step) -> list[tuple[int, int, int]]:
    """(type, first message, last) of the types that have messages here."""
    pairs = zip(step.bounds, step.bounds[1:], strict=False)
    return [(kind, first, last) for kind, (first, last) in enumerate(pairs) if last > first]
