"""The operation in plain torch, block of edges by block of edges, with its own derivatives.

A block is small enough that its messages stay in the processor's cache, and no tensor of size
edges x rows x channels is ever stored, not for the derivatives either. For every edge the harmonic
makes one matrix M[k, i] (`harmonics @ constants`), and messages are one batched product M x.

The map F(x, Y, W) is linear in each of its arguments. Its derivative B(x, Y, W, g) = (dx, dY, dW)
is defined by <g, F(x', Y, W)> = <x', dx> and so on, and the derivative of B for cotangents
(ax, aY, aW) follows by the product rule from

    <ax, dx> + <aY, dY> + <aW, dW> = <g, F(ax, Y, W) + F(x, aY, W) + F(x, Y, aW)>,

so that F and B, each calling the other, give derivatives of any order.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from intertwiner_equivariant_conv.layers.coupling import coupling
from intertwiner_equivariant_conv.layers.paths import PathTable, infer_paths

__all__ = ["tensor_product_scatter"]

BLOCK_NUMBERS = 1 << 17
"""Messages in one block: 512 kB in float32, which the second-level cache of a core holds."""

Gradients = tuple[Tensor | None, Tensor | None, Tensor | None]
Wanted = tuple[bool, bool, bool]


class Edges(NamedTuple):
    """What the operation does not differentiate."""

    source: Int[Tensor, " edges"]
    target: Int[Tensor, " edges"]
    nodes: int
    table: PathTable


def tensor_product_scatter(
    features: Float[Tensor, "nodes rows_in channels"],
    harmonics: Float[Tensor, "edges rows_edge"],
    weights: Float[Tensor, "edges paths*channels"],
    source: Int[Tensor, " edges"],
    target: Int[Tensor, " edges"],
    nodes: int,
) -> Float[Tensor, "nodes rows_out channels"]:
    """See `intertwiner_equivariant_conv.kernels.tensor_product_scatter`."""
    shapes = (features.shape[1], harmonics.shape[1], features.shape[2], weights.shape[1])
    edges = Edges(source, target, nodes, infer_paths(*shapes))
    return _product(features, harmonics, weights, edges)


def _product(x: Tensor, y: Tensor, w: Tensor, edges: Edges) -> Tensor:
    out: Tensor = _Product.apply(x, y, w, edges)
    return out


def _adjoint(x: Tensor, y: Tensor, w: Tensor, g: Tensor, edges: Edges, wanted: Wanted) -> Gradients:
    found: Gradients = _Adjoint.apply(x, y, w, g, edges, wanted)
    return found


class _Product(torch.autograd.Function):
    """F(x, Y, W)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor, w: Tensor, edges: Edges) -> Tensor:
        ctx.save_for_backward(x, y, w)
        ctx.edges = edges
        return _sum_messages(x, y, w, edges)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, ...]:
        wanted = ctx.needs_input_grad[:3]
        x, y, w = ctx.saved_tensors
        return (*_adjoint(x, y, w, g, ctx.edges, wanted), None)


class _Adjoint(torch.autograd.Function):
    """B(x, Y, W, g); entries that are not wanted are None."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, y: Tensor, w: Tensor, g: Tensor, edges: Edges, wanted: Wanted
    ) -> Gradients:
        ctx.save_for_backward(x, y, w, g)
        ctx.edges = edges
        ctx.set_materialize_grads(False)
        return _gradients(x, y, w, g, edges, wanted)

    @staticmethod
    def backward(ctx: Any, *cotangents: Tensor | None) -> tuple[Tensor | None, ...]:
        x, y, w, g = ctx.saved_tensors
        needs = ctx.needs_input_grad
        totals: list[Tensor | None] = [None] * 4
        for slot, cotangent in enumerate(cotangents):
            if cotangent is None:
                continue
            a, b, c = (cotangent if n == slot else old for n, old in enumerate((x, y, w)))
            wanted = (needs[0] and slot != 0, needs[1] and slot != 1, needs[2] and slot != 2)
            if any(wanted):
                _accumulate(totals, _adjoint(a, b, c, g, ctx.edges, wanted))
            if needs[3]:
                _accumulate(totals, (None, None, None, _product(a, b, c, ctx.edges)))
        return (*totals, None, None)


def _accumulate(totals: list[Tensor | None], terms: tuple[Tensor | None, ...]) -> None:
    for slot, term in enumerate(terms):
        if term is not None:
            before = totals[slot]
            totals[slot] = term if before is None else before + term


def _blocks(edges: Edges, channels: int) -> Iterator[slice]:
    """Slices of the edges; on a GPU, all of them at once."""
    count = len(edges.source)
    step = max(64, BLOCK_NUMBERS // (edges.table.rows_out * channels))
    step = count if edges.source.is_cuda else step
    for start in range(0, count, max(step, 1)):
        yield slice(start, min(start + step, count))


def _sum_messages(x: Tensor, y: Tensor, w: Tensor, edges: Edges) -> Tensor:
    table, channels = edges.table, x.shape[2]
    constants, owner = coupling(table, x.dtype, x.device)
    weights = w.reshape(-1, len(table), channels)
    out = x.new_zeros(edges.nodes, table.rows_out, channels)
    for block in _blocks(edges, channels):
        matrix = (y[block] @ constants).view(-1, table.rows_out, table.rows_in)
        message = _apply(matrix, x.index_select(0, edges.source[block]))
        message = message.mul_(weights[block].index_select(1, owner))
        out.index_add_(0, edges.target[block], message)
    return out


def _gradients(
    x: Tensor, y: Tensor, w: Tensor, g: Tensor, edges: Edges, wanted: Wanted
) -> Gradients:
    """(dx, dY, dW) for the cotangent g of the output, one pass over the edges."""
    table, channels = edges.table, x.shape[2]
    constants, owner = coupling(table, x.dtype, x.device)
    weights = w.reshape(-1, len(table), channels)
    dx, dy, dw = (
        torch.zeros_like(tensor, memory_format=torch.contiguous_format) if needed else None
        for tensor, needed in zip((x, y, weights), wanted, strict=True)
    )
    for block in _blocks(edges, channels):
        source = edges.source[block]
        matrix = (y[block] @ constants).view(-1, table.rows_out, table.rows_in)
        gathered = x.index_select(0, source)
        cotangent = g.index_select(0, edges.target[block])
        if dw is not None:
            dw[block].index_add_(1, owner, _apply(matrix, gathered).mul_(cotangent))
        if dx is None and dy is None:
            continue
        cotangent = cotangent.mul_(weights[block].index_select(1, owner))
        if dx is not None:
            dx.index_add_(0, source, _apply_transposed(matrix, cotangent))
        if dy is not None:
            outer = torch.bmm(cotangent, gathered.transpose(1, 2))
            torch.mm(outer.flatten(1), constants.T, out=dy[block])
    return dx, dy, None if dw is None else dw.view_as(w)


def _apply(
    matrix: Float[Tensor, "edges out in"], value: Float[Tensor, edges in channels]
) -> Float[Tensor, "edges out channels"]:
    """matrix @ value; a plain product where features have one row, which is faster."""
    return matrix * value if matrix.shape[2] == 1 else torch.bmm(matrix, value)


def _apply_transposed(
    matrix: Float[Tensor, "edges out in"], value: Float[Tensor, "edges out channels"]
) -> Float[Tensor, edges in channels]:
    if matrix.shape[1] == 1:
        return matrix.transpose(1, 2) * value
    return torch.bmm(matrix.transpose(1, 2), value)
