"""The operation in C++: three passes over the edges, composed by `kernels.multilinear`.

Every row of a result is summed in the order of the edges, so that its bits do not depend on the
number of threads. dx is added up in the pass that gives dY and dW, in two halves of the edges that
two threads may share; more threads go over the edges sorted by source, which gives the same sums
in the same order.

On one core of an AMD EPYC (Zen 4) at 2,000 nodes, 30,000 edges, order 2 and 64 channels, float32,
the forward pass takes 10 ms. Its floors are 3.7 ms for 114 multiply-adds per edge and channel at
one register of 16 a cycle, and 5 ms for reading 84 MB of weights from memory; the rest is features
that come from the third-level cache. All gradients take 26 ms; floors 8.7 ms and 10 ms
(measured beside other work).
"""

from __future__ import annotations

import functools

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import pad

from intertwiner.compiled import OPENMP, Library, call, try_load
from intertwiner_equivariant_conv.kernels import blocked
from intertwiner_equivariant_conv.kernels.compiled import graph as graphs
from intertwiner_equivariant_conv.kernels.compiled.generate import units
from intertwiner_equivariant_conv.kernels.compiled.graph import graph_of
from intertwiner_equivariant_conv.kernels.compiled.memory import empty
from intertwiner_equivariant_conv.kernels.compiled.text import scalar
from intertwiner_equivariant_conv.kernels.multilinear import (
    Cotangents,
    Edges,
    Gradients,
    Passes,
    Second,
    Wanted,
    run,
)
from intertwiner_equivariant_conv.layers.paths import PathTable, infer_paths

__all__ = ["STREAMED", "load_library", "tensor_product_scatter"]

STREAMED = 1 << 22
"""Bytes from which the gradient of the weights is written past the cache: a store that goes
through it reads the line first, which costs more than reading the result back once."""

SET, ADD, STREAM = range(3)

HALVES = 2
"""Parts of the edges that add to sums of their own."""


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
    if load_library(table, features.dtype) is None:
        serve = blocked.tensor_product_scatter
        return serve(features, harmonics, weights, source, target, nodes)
    missing = -channels % scalar(features.dtype).lanes
    if not missing:
        return run(_PASSES, features, harmonics, weights, source, target, nodes)
    wide = pad(weights.reshape(len(source), len(table), channels), (0, missing)).flatten(1)
    narrow = pad(features, (0, missing)), harmonics, wide, source, target, nodes
    return run(_PASSES, *narrow)[..., :channels]


@functools.cache
def load_library(table: PathTable, dtype: torch.dtype) -> Library | None:
    """The compiled kernels of a table, None (after one warning) where they cannot be had."""
    kind = scalar(dtype)
    parity = "o3" if table.parity else "so3"
    kernel = f"product-{parity}-{table.lmax_in}{table.lmax_edge}-{len(table)}-{kind.name}"
    return try_load(
        f"equivariant-conv-{kernel}",
        lambda: {**units(table, kind), "graph": graphs.UNIT},
        flags=OPENMP,
        instead="the blocked kernel",
    )


def _library(x: Tensor, edges: Edges) -> Library:
    found = load_library(edges.table, x.dtype)
    if found is None:  # only the entry decides, so that all passes of a call are of one kind
        raise RuntimeError(f"the kernel of {edges.table} is gone")
    return found


def _product(x: Tensor, y: Tensor, w: Tensor, edges: Edges) -> Tensor:
    out = empty((edges.nodes, edges.table.rows_out, x.shape[2]), x)
    _add_messages(x, y, w, edges, out, SET)
    return out


def _add_messages(x: Tensor, y: Tensor, w: Tensor, edges: Edges, out: Tensor, mode: int) -> None:
    library = _library(x, edges)
    graph = graph_of(library, edges.source, edges.target, len(x), edges.nodes)
    inputs = (tensor.contiguous() for tensor in (x, y, w))
    sizes = (graph.source, graph.rowptr, graph.nodes, x.shape[2])
    call(library, "forward", *inputs, *sizes, out, mode, torch.get_num_threads())


def _gradients(
    x: Tensor, y: Tensor, w: Tensor, g: Tensor, edges: Edges, wanted: Wanted
) -> Gradients:
    """(dx, dY, dW) for the cotangent g of the output."""
    found = _results((x, y, w), wanted)
    dw = found[2]
    aligned = dw is not None and dw.data_ptr() % 64 == 0
    large = dw is not None and dw.numel() * dw.element_size() >= STREAMED
    _add_gradients((x, y, w, g), edges, found, STREAM if aligned and large else SET)
    return found


def _results(like: tuple[Tensor, Tensor, Tensor], wanted: Wanted) -> Gradients:
    """Room for the gradients that are wanted: dx is zero, which edges add to."""
    x, y, w = (
        empty(tuple(tensor.shape), tensor) if needed else None
        for tensor, needed in zip(like, wanted[:3], strict=True)
    )
    return None if x is None else x.zero_(), y, w


def _add_gradients(
    arguments: tuple[Tensor, ...], edges: Edges, found: Gradients, mode: int
) -> None:
    """Adds to dx, and writes dY and dW as `mode` says, where they are not None."""
    x, y, w, g = (tensor.contiguous() for tensor in arguments)
    dx, dy, dw = found
    library, channels, threads = _library(x, edges), x.shape[2], torch.get_num_threads()
    graph = graph_of(library, edges.source, edges.target, len(x), edges.nodes)
    sizes = (graph.source, graph.rowptr, graph.nodes, channels)
    if dx is not None and threads > HALVES:
        rowptr, order = graph.by_source
        sides = (graph.target, order, rowptr, graph.sources, channels)
        call(library, "gradient_features", y, w, g, *sides, dx, ADD, graph.border, threads)
        dx = None
    if dx is not None:
        spare = empty(tuple(dx.shape), dx)
        ends = (dx, spare, dy, dw, mode, threads)
        call(library, "gradient_halves", x, y, w, g, *sizes, *ends)
    elif dy is not None or dw is not None:
        call(library, "gradient_edges", x, y, w, g, *sizes, dx, dy, dw, mode, threads)


def _second(
    x: Tensor,
    y: Tensor,
    w: Tensor,
    g: Tensor,
    cotangents: Cotangents,
    edges: Edges,
    wanted: Wanted,
) -> Second:
    """Derivatives by (x, Y, W, g) of <ax, dx> + <aY, dY> + <aW, dW>, summed in place."""
    given = [slot for slot, cotangent in enumerate(cotangents) if cotangent is not None]
    reached = tuple(wanted[n] and any(slot != n for slot in given) for n in range(3))
    found = _results((x, y, w), reached)
    out = empty(tuple(g.shape), g) if wanted[3] and given else None
    written: set[int] = set()
    for slot in given:
        replaced = [cotangents[n] if n == slot else old for n, old in enumerate((x, y, w))]
        a, b, c = (tensor for tensor in replaced if tensor is not None)
        dx, dy, dw = (None if n == slot else tensor for n, tensor in enumerate(found))
        others = {1, 2} - {slot}
        _add_gradients((a, b, c, g), edges, (dx, dy, dw), ADD if others <= written else SET)
        written |= others
        if out is not None:
            _add_messages(a, b, c, edges, out, SET if slot == given[0] else ADD)
    return *found, out


_PASSES = Passes(_product, _gradients, _second)
