"""Differentiable functions of the compiled program: values, tangents, and the exact trace.

The gradient of a tangent needs no code of its own: with numbers that carry a derivative along dx,
the program that gives the gradient of <a, moved> gives, as derivative, that of <a, J dx>.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from intertwiner_enflow.kernels.compiled.library import Shape, call, pointers

__all__ = ["Program", "stack_tangents", "stack_trace", "stack_values"]

PARTS = 13
"""Tensors of a layer, in the order of the program's `Part`."""


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """A loaded program with what it must know of the network.

    features: whether h^L is wanted. bound: R of every layer, 1 where it is not bounded.
    """

    library: ctypes.CDLL
    layers: int
    width: int
    features: bool
    bound: float

    def shape(self, x: Tensor, h: Tensor) -> Shape:
        """h [batch, width] is the same for all particles."""
        return Shape(len(x), x.shape[1], self.layers, int(h.ndim == 2), int(self.features))

    def memory(self, shape: Shape, directions: int, like: Tensor) -> Tensor:
        """Room for the states of all layers."""
        size = self.library.memory_size(ctypes.byref(shape), ctypes.c_int64(directions))
        return like.new_empty(size)

    def end(self, x: Tensor, *leading: int) -> Tensor | None:
        """Room for h^L where it is wanted."""
        return x.new_empty(*leading, *x.shape[:2], self.width) if self.features else None


def stack_values(
    program: Program,
    x: Float[Tensor, "batch n dim"],
    h: Float[Tensor, "batch *n width"],
    mask: Float[Tensor, "batch n"] | None,
    weights: Sequence[Tensor | None],
) -> tuple[Float[Tensor, "batch n dim"], Float[Tensor, "batch n width"] | None]:
    """(x^L - x, h^L)."""
    moved, end = _Values.apply(program, mask, x, h, *weights)
    return moved, end


def stack_tangents(
    program: Program,
    x: Float[Tensor, "batch n dim"],
    dx: Float[Tensor, "directions batch n dim"],
    h: Float[Tensor, "batch *n width"],
    dh: Float[Tensor, "directions batch n width"] | None,
    mask: Float[Tensor, "batch n"] | None,
    weights: Sequence[Tensor | None],
) -> tuple[Tensor, Tensor, Tensor | None, Tensor | None]:
    """(x^L - x, its tangents, h^L, its tangents)."""
    moved, dmoved, end, dend = _Tangents.apply(program, mask, x, dx, h, dh, *weights)
    return moved, dmoved, end, dend


def stack_trace(
    program: Program,
    x: Float[Tensor, "batch n dim"],
    h: Float[Tensor, "batch width"],
    weights: Sequence[Tensor | None],
) -> tuple[Float[Tensor, "batch n dim"], Float[Tensor, " batch"]]:
    """(x^L - x, the trace of its Jacobian by x)."""
    moved, trace = _Trace.apply(program, x, h, *weights)
    return moved, trace


def _zeros(like: Tensor | None, wanted: bool) -> Tensor | None:
    return torch.zeros_like(like) if wanted and like is not None else None


def _contiguous(value: Tensor | None) -> Tensor | None:
    return None if value is None else value.contiguous()


def _split(flat: Tensor, weights: Sequence[Tensor | None]) -> list[Tensor | None]:
    """The gradient of every weight, from one row of numbers after another."""
    found: list[Tensor | None] = []
    sizes = [0 if tensor is None else tensor.numel() for tensor in weights]
    for tensor, part in zip(weights, flat.split(sizes), strict=True):
        found.append(None if tensor is None else part.view(tensor.shape))
    return found


class _Values(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, program: Program, mask: Any, x: Any, h: Any, *weights: Any) -> Any:
        x, h = x.contiguous(), h.contiguous()
        shape, addresses = program.shape(x, h), pointers(weights)
        needed = any(ctx.needs_input_grad)
        memory = program.memory(shape, 0, x) if needed else None
        moved, end = torch.empty_like(x), program.end(x)
        arguments = (x, h, mask, moved, end, memory)
        call(program.library, "values", shape, addresses, program.bound, *arguments)
        ctx.program, ctx.shape = program, shape
        ctx.save_for_backward(mask, x, h, memory, *weights)
        return moved, end

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, g_moved: Any, g_end: Any) -> Any:
        mask, x, h, memory, *weights = ctx.saved_tensors
        program: Program = ctx.program
        wants = ctx.needs_input_grad
        g_x, g_h = _zeros(x, wants[2]), _zeros(h, wants[3])
        flat = x.new_zeros(sum(0 if w is None else w.numel() for w in weights))
        given = (mask, memory, g_moved.contiguous(), _contiguous(g_end))
        call(
            program.library,
            "values_gradient",
            ctx.shape,
            pointers(weights),
            program.bound,
            *given,
            g_x,
            g_h,
            flat,
        )
        return None, None, g_x, g_h, *_split(flat, weights)


class _Tangents(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, program: Program, mask: Any, x: Any, dx: Any, h: Any, dh: Any, *weights: Any
    ) -> Any:
        x, dx, h, dh = x.contiguous(), dx.contiguous(), h.contiguous(), _contiguous(dh)
        shape, count = program.shape(x, h), len(dx)
        needed = any(ctx.needs_input_grad)
        memory = program.memory(shape, count, x) if needed else None
        moved, dmoved = torch.empty_like(x), torch.empty_like(dx)
        end, dend = program.end(x), program.end(x, count)
        arguments = (count, x, dx, h, dh, mask, moved, dmoved, end, dend, memory)
        call(program.library, "tangents", shape, pointers(weights), program.bound, *arguments)
        ctx.program, ctx.shape = program, shape
        ctx.save_for_backward(mask, x, dx, h, dh, memory, *weights)
        return moved, dmoved, end, dend

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, g_moved: Any, g_dmoved: Any, g_end: Any, g_dend: Any) -> Any:
        mask, x, dx, h, dh, memory, *weights = ctx.saved_tensors
        wants = ctx.needs_input_grad
        found = _tangents_gradient(
            ctx.program,
            ctx.shape,
            (mask, memory, g_moved, g_dmoved, g_end, g_dend),
            (_zeros(x, wants[2]), _zeros(dx, wants[3]), _zeros(h, wants[4]), _zeros(dh, wants[5])),
            weights,
        )
        return None, None, *found


def _tangents_gradient(
    program: Program,
    shape: Shape,
    given: Sequence[Tensor | None],
    into: Sequence[Tensor | None],
    weights: Sequence[Tensor | None],
) -> list[Tensor | None]:
    mask, memory, g_moved, g_dmoved, g_end, g_dend = map(_contiguous, given)
    if g_dmoved is None or memory is None:
        raise RuntimeError("the program was not asked to remember what the gradient needs")
    flat = g_dmoved.new_zeros(sum(0 if w is None else w.numel() for w in weights))
    arguments = (mask, memory, g_moved, g_dmoved, g_end, g_dend, *into, flat)
    count = len(g_dmoved)
    call(
        program.library,
        "tangents_gradient",
        shape,
        pointers(weights),
        program.bound,
        count,
        *arguments,
    )
    return [*into, *_split(flat, weights)]


class _Trace(torch.autograd.Function):
    """The gradient of the trace is that of sum_k e_k . J e_k, e_k a basis of the subspace of zero
    mean: translations add nothing, since they do not change the displacements."""

    @staticmethod
    def forward(ctx: Any, program: Program, x: Any, h: Any, *weights: Any) -> Any:
        x, h = x.contiguous(), h.contiguous()
        shape = program.shape(x, h)
        moved, found = torch.empty_like(x), x.new_empty(len(x))
        arguments = (x, h, moved, found)
        call(program.library, "trace", shape, pointers(weights), program.bound, *arguments)
        ctx.program, ctx.shape = program, shape
        ctx.save_for_backward(x, h, *weights)
        return moved, found

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, g_moved: Any, g_trace: Any) -> Any:
        x, h, *weights = ctx.saved_tensors
        program: Program = ctx.program
        wants = ctx.needs_input_grad
        dx = centred_basis(x)
        moved, dmoved = torch.empty_like(x), torch.empty_like(dx)
        memory = program.memory(ctx.shape, len(dx), x)
        arguments = (len(dx), x, dx, h, None, None, moved, dmoved, None, None, memory)
        addresses = pointers(weights)
        call(program.library, "tangents", ctx.shape, addresses, program.bound, *arguments)
        g_dmoved = dx * g_trace.reshape(1, -1, 1, 1)
        into = (_zeros(x, wants[1]), None, _zeros(h, wants[2]), None)
        given = (None, memory, g_moved, g_dmoved, None, None)
        g_x, _, g_h, _, *parts = _tangents_gradient(program, ctx.shape, given, into, weights)
        return None, g_x, g_h, *parts


def centred_basis(x: Float[Tensor, "batch n dim"]) -> Float[Tensor, "freedom batch n dim"]:
    """An orthonormal basis of configurations of zero mean (Helmert's rows times the axes)."""
    batch, count, dim = x.shape
    rows = torch.zeros(count - 1, count, dtype=x.dtype, device=x.device)
    for row in range(count - 1):
        rows[row, : row + 1] = 1
        rows[row, row + 1] = -(row + 1)
    rows = rows / rows.norm(dim=1, keepdim=True)
    axes = torch.eye(dim, dtype=x.dtype, device=x.device)
    basis = torch.einsum("kn,ad->kand", rows, axes).reshape(-1, 1, count, dim)
    return basis.expand(-1, batch, -1, -1).contiguous()
