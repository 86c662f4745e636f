"""The tabulated operation in C++, with its own derivatives of any order.

F(x, Y, B, T) is linear in each argument; its derivative G(x, Y, B, T, g) = (dx, dY, dB, dT) is
defined by <g, F(x', Y, B, T)> = <x', dx> and so on. For cotangents (ax, aY, aB, aT) of G,

    <ax, dx> + <aY, dY> + <aB, dB> + <aT, dT>
        = <g, F(ax, Y, B, T) + F(x, aY, B, T) + F(x, Y, aB, T) + F(x, Y, B, aT)>,

whose derivative the C++ sums up in one pass over the edges (`_second`). Where it must itself be
differentiable, it is composed of F and G with one argument replaced.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import pad

from intertwiner.compiled import OPENMP, Library, call, try_load
from intertwiner_equivariant_conv.kernels.compiled import product
from intertwiner_equivariant_conv.kernels.compiled.graph import Graph, graph_of
from intertwiner_equivariant_conv.kernels.compiled.memory import empty
from intertwiner_equivariant_conv.kernels.compiled.text import scalar
from intertwiner_equivariant_conv.kernels.table import reference
from intertwiner_equivariant_conv.kernels.table.generate import BOUND, unit
from intertwiner_equivariant_conv.layers.paths import PathTable, infer_paths

__all__ = ["load_library", "table_product_scatter"]

CHUNK_BYTES = 1 << 20
"""Weights of one chunk of edges: they stay in the second or third level of the cache."""

Tensors = tuple[Tensor, Tensor, Tensor, Tensor]
Gradients = tuple[Tensor | None, Tensor | None, Tensor | None, Tensor | None]
Wanted = tuple[bool, bool, bool, bool]


class Edges(NamedTuple):
    """What the operation does not differentiate."""

    loaded: Library
    graph: Graph
    table: PathTable
    row: Int[Tensor, " edges"]


def table_product_scatter(
    features: Float[Tensor, "nodes rows_in channels"],
    harmonics: Float[Tensor, "edges rows_edge"],
    powers: Float[Tensor, "edges degree+1"],
    table: Float[Tensor, "rows degree+1 paths*channels"],
    row: Int[Tensor, " edges"],
    source: Int[Tensor, " edges"],
    target: Int[Tensor, " edges"],
    nodes: int,
) -> Float[Tensor, "nodes rows_out channels"]:
    """See `intertwiner_equivariant_conv.kernels.table.table_product_scatter`.

    Where nothing can be compiled, a `KernelFallback` says so once and the reference serves.
    """
    channels = features.shape[2]
    paths = infer_paths(features.shape[1], harmonics.shape[1], channels, table.shape[2])
    library = load_library(paths, features.dtype, powers.shape[1] - 1)
    if library is None:
        return reference.table_product_scatter(
            features, harmonics, powers, table, row, source, target, nodes
        )
    sorter = product.load_library(paths, features.dtype)
    graph = graph_of(sorter or library, source, target, len(features), nodes)
    edges = Edges(library, graph, paths, row.contiguous())
    missing = -channels % scalar(features.dtype).lanes
    if not missing:
        return _product((features, harmonics, powers, table), edges)
    wide = pad(table.reshape(*table.shape[:2], len(paths), channels), (0, missing)).flatten(2)
    out = _product((pad(features, (0, missing)), harmonics, powers, wide), edges)
    return out[..., :channels]


@functools.cache
def load_library(table: PathTable, dtype: torch.dtype, degree: int) -> Library | None:
    """The compiled kernels of a table, None (after one warning) where they cannot be had."""
    kind = scalar(dtype)
    product_library = product.load_library(table, dtype)
    if product_library is None:
        return None
    parity = "o3" if table.parity else "so3"
    kernel = f"table{degree}-{parity}-{table.lmax_in}{table.lmax_edge}-{len(table)}-{kind.name}"
    library = try_load(
        f"equivariant-conv-{kernel}",
        lambda: {"table": unit(table, kind, degree)},
        flags=OPENMP,
        instead="the reference",
    )
    if library is not None:
        pointers = (ctypes.cast(getattr(product_library, one), ctypes.c_void_p) for one in BOUND)
        call(library, "bind", *(pointer.value or 0 for pointer in pointers))
    return library


def _product(arguments: Tensors, edges: Edges) -> Tensor:
    out: Tensor = _Product.apply(*arguments, edges)
    return out


def _adjoint(arguments: Tensors, g: Tensor, edges: Edges, wanted: Wanted) -> Gradients:
    found: Gradients = _Adjoint.apply(*arguments, g, edges, wanted)
    return found


class _Product(torch.autograd.Function):
    """F(x, Y, B, T)."""

    @staticmethod
    def forward(ctx: Any, *arguments: Any) -> Tensor:
        *tensors, edges = arguments
        ctx.save_for_backward(*tensors)
        ctx.edges = edges
        return _sum_messages(tuple(tensors), edges)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, ...]:
        return (*_adjoint(ctx.saved_tensors, g, ctx.edges, _wanted(ctx)), None)


class _Adjoint(torch.autograd.Function):
    """G(x, Y, B, T, g); entries that are not wanted are None."""

    @staticmethod
    def forward(ctx: Any, *arguments: Any) -> Gradients:
        *tensors, g, edges, wanted = arguments
        ctx.save_for_backward(*tensors, g)
        ctx.edges = edges
        ctx.set_materialize_grads(False)
        return _gradients(tuple(tensors), g, edges, wanted)

    @staticmethod
    def backward(ctx: Any, *cotangents: Tensor | None) -> tuple[Tensor | None, ...]:
        *tensors, g = ctx.saved_tensors
        compute = _composed if torch.is_grad_enabled() else _second
        needs = ctx.needs_input_grad
        wanted = (*_wanted(ctx), needs[4])
        return (*compute(tuple(tensors), g, cotangents, ctx.edges, wanted), None, None)


def _wanted(ctx: Any) -> Wanted:
    """Which of the four gradients this backward pass needs.

    Of a function in Python, autograd computes all gradients a tensor could ever need; the graph
    says which lead to what was asked for, such as to positions and not to weights.
    """
    asked = zip(ctx.needs_input_grad[:4], ctx.next_functions[:4], strict=True)
    first, second, third, fourth = (needed and _leads_on(node) for needed, (node, _) in asked)
    return first, second, third, fourth


def _leads_on(node: Any) -> bool:
    if node is None or "AccumulateGrad" in node.name():
        return True
    return bool(torch._C._will_engine_execute_node(node))


def _composed(
    arguments: Tensors,
    g: Tensor,
    cotangents: Sequence[Tensor | None],
    edges: Edges,
    wanted: tuple[bool, ...],
) -> list[Tensor | None]:
    """The derivative of G with F and G, one argument replaced by its cotangent."""
    totals: list[Tensor | None] = [None] * 5
    for slot, cotangent in enumerate(cotangents):
        if cotangent is None:
            continue
        changed = list(arguments)
        changed[slot] = cotangent
        first, second, third, fourth = (w and n != slot for n, w in enumerate(wanted[:4]))
        replaced = (changed[0], changed[1], changed[2], changed[3])
        if first or second or third or fourth:
            terms = _adjoint(replaced, g, edges, (first, second, third, fourth))
            _accumulate(totals, (*terms, None))
        if wanted[4]:
            _accumulate(totals, (None, None, None, None, _product(replaced, edges)))
    return totals


def _accumulate(totals: list[Tensor | None], terms: tuple[Tensor | None, ...]) -> None:
    for slot, term in enumerate(terms):
        if term is not None:
            before = totals[slot]
            totals[slot] = term if before is None else before + term


def _problem(arguments: Tensors, edges: Edges) -> list[Tensor | int]:
    """What every function in C++ takes first."""
    x, y, b, t = (tensor.contiguous() for tensor in arguments)
    graph, channels = edges.graph, x.shape[2]
    bytes_of_edge = t.shape[2] * t.element_size()
    cap = min(max(64, CHUNK_BYTES // bytes_of_edge), max(1, len(y)))
    ends = (edges.row, graph.source, graph.target, graph.rowptr)
    sizes = (graph.nodes, graph.sources, len(t), channels, cap, torch.get_num_threads())
    return [x, y, b, t, *ends, *sizes]


def _sum_messages(arguments: Tensors, edges: Edges) -> Tensor:
    x = arguments[0]
    out = empty((edges.graph.nodes, edges.table.rows_out, x.shape[2]), x)
    call(edges.loaded, "table_forward", *_problem(arguments, edges), out)
    return out


def _results(arguments: Tensors, wanted: tuple[bool, ...]) -> list[Tensor | None]:
    """Room for gradients: zeros where the C++ adds to them."""
    found = [
        empty(tuple(tensor.shape), tensor) if needed else None
        for tensor, needed in zip(arguments, wanted[:4], strict=True)
    ]
    for slot in (0, 3):
        total = found[slot]
        if total is not None:
            total.zero_()
    return found


def _spare(found: Sequence[Tensor | None]) -> list[Tensor | None]:
    """Room for what the second half of the edges adds to dx and dT."""
    return [None if t is None else empty(tuple(t.shape), t) for t in (found[0], found[3])]


def _gradients(arguments: Tensors, g: Tensor, edges: Edges, wanted: Wanted) -> Gradients:
    """(dx, dY, dB, dT) for the cotangent g of the output."""
    found = _results(arguments, wanted)
    problem = _problem(arguments, edges)
    call(edges.loaded, "table_gradient", *problem, *_spare(found), g.contiguous(), *found)
    first, second, third, fourth = found
    return first, second, third, fourth


def _second(
    arguments: Tensors,
    g: Tensor,
    cotangents: Sequence[Tensor | None],
    edges: Edges,
    wanted: tuple[bool, ...],
) -> list[Tensor | None]:
    """As `_composed`, in one pass, not differentiable."""
    if all(cotangent is None for cotangent in cotangents):
        return [None] * 5
    found = _results(arguments, wanted)
    found.append(empty(tuple(g.shape), g) if wanted[4] else None)
    if not len(edges.row):
        return [None if tensor is None else tensor.zero_() for tensor in found]
    given = [None if c is None else c.contiguous() for c in cotangents]
    problem = _problem(arguments, edges)
    ends = (*_spare(found), g.contiguous(), *given, *found)
    call(edges.loaded, "table_second", *problem, *ends)
    return found
