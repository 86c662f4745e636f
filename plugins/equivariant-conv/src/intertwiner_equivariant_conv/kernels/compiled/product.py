"""The operation in C++, with its own derivatives of any order.

The map F(x, Y, W) is linear in each of its arguments, and B(x, Y, W, g) = (dx, dY, dW) is its
derivative, <g, F(x', Y, W)> = <x', dx> and so on. For cotangents (ax, aY, aW) of B,

    <ax, dx> + <aY, dY> + <aW, dW> = <g, F(ax, Y, W) + F(x, aY, W) + F(x, Y, aW)>,

so that the derivative of B is made of F and B with an argument replaced; sums over the three are
added up in place by the kernels. Every row of a result is summed by one thread in the order of the
edges: the bits do not depend on the number of threads.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import pad

from intertwiner_equivariant_conv.kernels import blocked
from intertwiner_equivariant_conv.kernels.compiled import graph as graphs
from intertwiner_equivariant_conv.kernels.compiled.generate import units
from intertwiner_equivariant_conv.kernels.compiled.graph import Graph, graph_of
from intertwiner_equivariant_conv.kernels.compiled.library import Library, call, try_load
from intertwiner_equivariant_conv.kernels.compiled.memory import empty
from intertwiner_equivariant_conv.kernels.compiled.text import scalar
from intertwiner_equivariant_conv.layers.paths import PathTable, infer_paths

__all__ = ["library_of", "tensor_product_scatter"]

Gradients = tuple[Tensor | None, Tensor | None, Tensor | None]
Wanted = tuple[bool, bool, bool]


class Edges(NamedTuple):
    """What the operation does not differentiate."""

    library: Library
    graph: Graph
    table: PathTable


def tensor_product_scatter(
    features: Float[Tensor, "nodes rows_in channels"],
    harmonics: Float[Tensor, "edges rows_edge"],
    weights: Float[Tensor, "edges paths*channels"],
    source: Int[Tensor, " edges"],
    target: Int[Tensor, " edges"],
    nodes: int,
) -> Float[Tensor, "nodes rows_out channels"]:
    """See `intertwiner_equivariant_conv.kernels.tensor_product_scatter`.

    Where nothing can be compiled, a `KernelFallback` says so once and the blocked kernel serves.
    """
    channels = features.shape[2]
    table = infer_paths(features.shape[1], harmonics.shape[1], channels, weights.shape[1])
    library = library_of(table, features.dtype)
    if library is None:
        return blocked.tensor_product_scatter(features, harmonics, weights, source, target, nodes)
    graph = graph_of(library, source, target, len(features), nodes)
    edges = Edges(library, graph, table)
    missing = -channels % scalar(features.dtype).lanes
    if not missing:
        return _product(features, harmonics, weights, edges)
    wide = pad(weights.reshape(len(source), len(table), channels), (0, missing)).flatten(1)
    return _product(pad(features, (0, missing)), harmonics, wide, edges)[..., :channels]


@functools.cache
def library_of(table: PathTable, dtype: torch.dtype) -> Library | None:
    """The compiled kernels of a table, None (after one warning) where they cannot be had."""
    kind = scalar(dtype)
    parity = "o3" if table.parity else "so3"
    name = f"product-{parity}-{table.lmax_in}{table.lmax_edge}-{len(table)}-{kind.name}"
    return try_load(name, lambda: {**units(table, kind), "graph": graphs.UNIT})


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


def _sum_messages(x: Tensor, y: Tensor, w: Tensor, edges: Edges) -> Tensor:
    library, graph, table = edges
    x, y, w = x.contiguous(), y.contiguous(), w.contiguous()
    channels = x.shape[2]
    out = empty((graph.nodes, table.rows_out, channels), x)
    ends = (graph.source, graph.rowptr, graph.nodes, channels)
    call(library, "forward", x, y, w, *ends, out, 0, torch.get_num_threads())
    return out


def _gradients(
    x: Tensor, y: Tensor, w: Tensor, g: Tensor, edges: Edges, wanted: Wanted
) -> Gradients:
    """(dx, dY, dW) for the cotangent g of the output."""
    library, graph, _ = edges
    x, y, w, g = x.contiguous(), y.contiguous(), w.contiguous(), g.contiguous()
    channels, threads = x.shape[2], torch.get_num_threads()
    dx, dy, dw = (
        empty(tuple(tensor.shape), tensor) if needed else None
        for tensor, needed in zip((x, y, w), wanted, strict=True)
    )
    if dx is not None and threads > 1:
        rowptr, order = graph.by_source
        sides = (graph.target, order, rowptr, graph.sources, channels)
        call(library, "gradient_features", y, w, g, *sides, dx, 0, threads)
    ends = (graph.source, graph.rowptr, graph.nodes, channels)
    scattered = dx.zero_() if dx is not None and threads == 1 else None
    call(library, "gradient_edges", x, y, w, g, *ends, scattered, dy, dw, 0, threads)
    return dx, dy, dw
