"""The operation in plain torch, block of edges by block of edges, with its own derivatives.

A block is small enough that its messages stay in the processor's cache, and no tensor of size
edges x rows x channels is ever stored, not for the derivatives either. For every edge the harmonic
makes one matrix M[k, i] (`harmonics @ constants`), and messages are one batched product M x,
weighed by the rows' paths. Derivatives of any order come from `kernels.multilinear`; the second
one, which training on forces takes, has a pass of its own that shares what its terms have in
common.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from intertwiner_equivariant_conv.kernels.multilinear import (
    Cotangents,
    Edges,
    Gradients,
    Passes,
    Second,
    Wanted,
    run,
)
from intertwiner_equivariant_conv.layers.coupling import coupling

__all__ = ["tensor_product_scatter"]

BLOCK_NUMBERS = 1 << 17
"""Messages in one block: 512 kB in float32, which the second-level cache of a core holds."""


def tensor_product_scatter(
    features: Float[Tensor, "nodes rows_in channels"],
    harmonics: Float[Tensor, "edges rows_edge"],
    weights: Float[Tensor, "edges paths*channels"],
    source: Int[Tensor, " edges"],
    target: Int[Tensor, " edges"],
    nodes: int,
) -> Float[Tensor, "nodes rows_out channels"]:
    """See `intertwiner_equivariant_conv.kernels.tensor_product_scatter`."""
    return run(PASSES, features, harmonics, weights, source, target, nodes)


class Constants(NamedTuple):
    """What the path table gives: see `layers.coupling`."""

    values: Float[Tensor, "rows_edge rows_out*rows_in"]
    owner: Int[Tensor, " rows_out"]
    rows_out: int
    rows_in: int

    def matrices(
        self, y: Float[Tensor, "edges rows_edge"]
    ) -> Float[Tensor, "edges rows_out rows_in"]:
        return (y @ self.values).view(-1, self.rows_out, self.rows_in)

    def weigh(
        self,
        rows: Float[Tensor, "edges rows_out channels"],
        w: Float[Tensor, "edges paths channels"],
    ) -> Float[Tensor, "edges rows_out channels"]:
        """In place: every row times the weight of its path."""
        return rows.mul_(w.index_select(1, self.owner))

    def into_paths(self, rows: Float[Tensor, "edges rows_out channels"], out: Tensor) -> None:
        """Adds the rows of every path to `out [edges, paths, channels]`."""
        out.index_add_(1, self.owner, rows)


def _constants(x: Tensor, edges: Edges) -> Constants:
    values, owner = coupling(edges.table, x.dtype, x.device)
    return Constants(values, owner, edges.table.rows_out, edges.table.rows_in)


def _blocks(edges: Edges, channels: int) -> Iterator[slice]:
    """Slices of the edges; on a GPU, all of them at once."""
    count = len(edges.source)
    step = max(64, BLOCK_NUMBERS // (edges.table.rows_out * channels))
    step = count if edges.source.is_cuda else step
    for start in range(0, count, max(step, 1)):
        yield slice(start, min(start + step, count))


def _paths(w: Tensor, edges: Edges, channels: int) -> Float[Tensor, "edges paths channels"]:
    return w.reshape(-1, len(edges.table), channels)


def _zeros(tensors: tuple[Tensor, ...], wanted: Wanted) -> tuple[Tensor | None, ...]:
    return tuple(
        torch.zeros_like(tensor, memory_format=torch.contiguous_format) if needed else None
        for tensor, needed in zip(tensors, wanted, strict=True)
    )


def _sum_messages(x: Tensor, y: Tensor, w: Tensor, edges: Edges) -> Tensor:
    constants, weights = _constants(x, edges), _paths(w, edges, x.shape[2])
    out = x.new_zeros(edges.nodes, constants.rows_out, x.shape[2])
    for block in _blocks(edges, x.shape[2]):
        matrix = constants.matrices(y[block])
        message = _apply(matrix, x.index_select(0, edges.source[block]))
        out.index_add_(0, edges.target[block], constants.weigh(message, weights[block]))
    return out


def _gradients(
    x: Tensor, y: Tensor, w: Tensor, g: Tensor, edges: Edges, wanted: Wanted
) -> Gradients:
    """(dx, dY, dW) for the cotangent g of the output, one pass over the edges."""
    constants, weights = _constants(x, edges), _paths(w, edges, x.shape[2])
    dx, dy, dw = _zeros((x, y, weights), wanted)
    for block in _blocks(edges, x.shape[2]):
        source = edges.source[block]
        matrix = constants.matrices(y[block])
        gathered = x.index_select(0, source)
        cotangent = g.index_select(0, edges.target[block])
        if dw is not None:
            constants.into_paths(_apply(matrix, gathered).mul_(cotangent), dw[block])
        if dx is None and dy is None:
            continue
        cotangent = constants.weigh(cotangent, weights[block])
        if dx is not None:
            dx.index_add_(0, source, _apply_transposed(matrix, cotangent))
        if dy is not None:
            outer = torch.bmm(cotangent, gathered.transpose(1, 2))
            torch.mm(outer.flatten(1), constants.values.T, out=dy[block])
    return dx, dy, None if dw is None else dw.view_as(w)


class _Turned(NamedTuple):
    """One block of edges at a second derivative: arguments and their cotangents, None if absent."""

    matrix: Float[Tensor, "edges rows_out rows_in"]
    moved: Float[Tensor, "edges rows_out rows_in"] | None
    x: Float[Tensor, "edges rows_in channels"]
    ax: Float[Tensor, "edges rows_in channels"] | None
    w: Float[Tensor, "edges paths channels"]
    aw: Float[Tensor, "edges paths channels"] | None
    g: Float[Tensor, "edges rows_out channels"]

    def change(self) -> Tensor | None:
        """u = M(Y) ax + M(aY) x."""
        pushed = None if self.ax is None else _apply(self.matrix, self.ax)
        return _sum(pushed, None if self.moved is None else _apply(self.moved, self.x))

    def message(self, u: Tensor | None, constants: Constants) -> Tensor | None:
        """W u + aW M(Y) x; overwrites u."""
        weighed = None if u is None else constants.weigh(u, self.w)
        if self.aw is None:
            return weighed
        return _sum(constants.weigh(_apply(self.matrix, self.x), self.aw), weighed)

    def to_features(self, gw: Tensor, gaw: Tensor | None) -> Tensor | None:
        """M(aY)^T (g W) + M(Y)^T (g aW)."""
        direct = None if self.moved is None else _apply_transposed(self.moved, gw)
        return _sum(direct, None if gaw is None else _apply_transposed(self.matrix, gaw))

    def to_matrices(self, gw: Tensor, gaw: Tensor | None) -> Tensor | None:
        """(g W) ax^T + (g aW) x^T."""
        direct = None if self.ax is None else torch.bmm(gw, self.ax.mT)
        return _sum(direct, None if gaw is None else torch.bmm(gaw, self.x.mT))


def _second(
    x: Tensor,
    y: Tensor,
    w: Tensor,
    g: Tensor,
    cotangents: Cotangents,
    edges: Edges,
    wanted: Wanted,
) -> Second:
    """Gradients of <ax, dx> + <aY, dY> + <aW, dW> for (x, Y, W, g), one pass over the edges.

    With u = M(Y) ax + M(aY) x for every edge, the sum is <g, W u + aW M(Y) x>.
    """
    constants, paths = _constants(x, edges), _paths(w, edges, x.shape[2])
    dx, dy, dw, dg = _zeros((x, y, paths, g), wanted)
    ax, ay, aw = cotangents
    aw = None if aw is None else _paths(aw, edges, x.shape[2])
    for block in _blocks(edges, x.shape[2]):
        source, target = edges.source[block], edges.target[block]
        part = _Turned(
            constants.matrices(y[block]),
            None if ay is None else constants.matrices(ay[block]),
            x.index_select(0, source),
            None if ax is None else ax.index_select(0, source),
            paths[block],
            None if aw is None else aw[block],
            g.index_select(0, target),
        )
        if dw is not None or dg is not None:
            u = part.change()
            if dw is not None and u is not None:
                constants.into_paths(u * part.g, dw[block])
            if dg is not None:
                _add_rows(dg, target, part.message(u, constants))
        if dx is None and dy is None:
            continue
        gaw = None if part.aw is None else constants.weigh(part.g.clone(), part.aw)
        gw = constants.weigh(part.g, part.w)
        if dx is not None:
            _add_rows(dx, source, part.to_features(gw, gaw))
        outer = None if dy is None else part.to_matrices(gw, gaw)
        if dy is not None and outer is not None:
            torch.mm(outer.flatten(1), constants.values.T, out=dy[block])
    return dx, dy, None if dw is None else dw.view_as(w), dg


PASSES = Passes(_sum_messages, _gradients, _second)


def _sum(first: Tensor | None, second: Tensor | None) -> Tensor | None:
    """In place of the first; None counts as zero."""
    if first is None or second is None:
        return second if first is None else first
    return first.add_(second)


def _add_rows(out: Tensor, rows: Int[Tensor, " edges"], values: Tensor | None) -> None:
    if values is not None:
        out.index_add_(0, rows, values)


def _apply(
    matrix: Float[Tensor, "edges rows_out rows_in"], value: Float[Tensor, "edges rows_in channels"]
) -> Float[Tensor, "edges rows_out channels"]:
    """matrix @ value; a plain product where features have one row, which is faster."""
    return matrix * value if matrix.shape[2] == 1 else torch.bmm(matrix, value)


def _apply_transposed(
    matrix: Float[Tensor, "edges rows_out rows_in"], value: Float[Tensor, "edges rows_out channels"]
) -> Float[Tensor, "edges rows_in channels"]:
    if matrix.shape[1] == 1:
        return matrix.transpose(1, 2) * value
    return torch.bmm(matrix.transpose(1, 2), value)
