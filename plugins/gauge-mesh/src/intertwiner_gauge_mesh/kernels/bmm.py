"""The operation in plain torch: batched products over vertices of equal degree.

S = A x_n for every order n, with A[v] the matrix of t(theta) and rho(pre) of all edges of the
vertex, which depends on the mesh alone; then one matrix product for every pair of orders.
Vertices are taken in buckets of one degree and chunks that fit the cache; S is never stored, the
backward pass makes it again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from intertwiner_gauge_mesh.geometry.transport import powers
from intertwiner_gauge_mesh.graph import EdgeGraph
from intertwiner_gauge_mesh.kernels.algebra import (
    bias_rows,
    fold_mixing,
    fold_self,
    mixing,
    self_blocks,
    spread_bias,
)
from intertwiner_gauge_mesh.kernels.rotation import circle
from intertwiner_gauge_mesh.kernels.trilinear import Gradients, Problem, Wanted, operation
from intertwiner_gauge_mesh.types import Block, FeatureType

__all__ = ["PASSES", "circle_sums", "gauge_aggregate"]

CHUNK_NUMBERS = 1 << 19
"""Numbers of S in one chunk: 2 MB in float32."""
EXACT_DEGREES = 8
"""Above it, degrees are rounded up to a multiple of 4, and the missing edges are zero."""


class Bucket(NamedTuple):
    """Vertices of one (padded) degree. source [n, degree] flat; phases: for every order n that
    has channels [n, functions * rings * d_n, degree * d_n]."""

    rows: Int[Tensor, " bucket"]
    source: Int[Tensor, " bucket_degree"]
    phases: tuple[Float[Tensor, "bucket rows columns"] | None, ...]


class _Passes:
    """See `kernels.trilinear.Passes`."""

    def forward(
        self,
        problem: Problem,
        x: Tensor,
        weight: Tensor,
        self_weight: Tensor | None,
        bias: Tensor | None,
    ) -> Tensor:
        matrices = _mixings(weight, problem)
        out = _start(problem, x, self_weight, bias)
        for bucket in _buckets(problem):
            part = x.new_zeros(len(bucket.rows), problem.type_out.width)
            for order, phase in enumerate(bucket.phases):
                if phase is not None:
                    sums = _sums(x, bucket.source, phase, problem.type_in.blocks[order])
                    _mix(sums, matrices[order], problem, part)
            out.index_add_(0, bucket.rows, part)
        return out

    def backward(
        self,
        problem: Problem,
        g: Tensor,
        x: Tensor,
        weight: Tensor,
        self_weight: Tensor | None,
        wanted: Wanted,
    ) -> Gradients:
        dx = torch.zeros_like(x, memory_format=torch.contiguous_format) if wanted.x else None
        matrices = _mixings(weight, problem)
        slopes = [[torch.zeros_like(m) for m in row] for row in matrices] if wanted.weight else None
        if wanted.x or wanted.weight:
            for bucket in _buckets(problem):
                self._walk(problem, bucket, g.index_select(0, bucket.rows), x, matrices, dx, slopes)
        alone = self.alone_backward(problem, g, x, self_weight, wanted, dx)
        return alone._replace(weight=None if slopes is None else _fold(slopes, problem))

    def alone(
        self, problem: Problem, x: Tensor, self_weight: Tensor | None, bias: Tensor | None
    ) -> Tensor:
        """The terms that need no neighbour: the vertex itself, and the bias."""
        return _start(problem, x, self_weight, bias)

    def alone_backward(
        self,
        problem: Problem,
        g: Tensor,
        x: Tensor,
        self_weight: Tensor | None,
        wanted: Wanted,
        dx: Tensor | None = None,
    ) -> Gradients:
        """Their gradients; that of x is added to `dx`, if it is given."""
        if wanted.x and dx is None:
            dx = torch.zeros_like(x, memory_format=torch.contiguous_format)
        own = None if self_weight is None else _weighed(problem.graph, g)
        if dx is not None and own is not None and self_weight is not None:
            _self_transposed(problem, own, self_weight, dx)
        return Gradients(
            dx,
            None,
            _self_slope(problem, own, x) if wanted.self_weight and own is not None else None,
            _bias_slope(problem, g) if wanted.bias else None,
        )

    def _walk(
        self,
        problem: Problem,
        bucket: Bucket,
        g: Tensor,
        x: Tensor,
        matrices: list[list[Tensor]],
        dx: Tensor | None,
        slopes: list[list[Tensor]] | None,
    ) -> None:
        """Adds what one bucket gives to `dx` and `slopes`."""
        for order, phase in enumerate(bucket.phases):
            if phase is None:
                continue
            block = problem.type_in.blocks[order]
            if slopes is not None:
                sums = _sums(x, bucket.source, phase, block)
                for part, out, slope in _pairs(sums, slopes[order], problem.type_out, g):
                    slope.addmm_(part.T, out)
            if dx is not None:
                # Rows of orders that the output does not have stay zero.
                rise = g.new_zeros(len(g), phase.shape[1], block.count)
                for part, out, matrix in _pairs(rise, matrices[order], problem.type_out, g):
                    torch.mm(out, matrix.T, out=part)
                back = torch.bmm(phase.transpose(1, 2), rise)
                width = block.stop - block.start
                dx[:, block.start : block.stop].index_add_(0, bucket.source, back.view(-1, width))


PASSES = _Passes()
gauge_aggregate = operation(lambda x: PASSES)


def _sums(
    x: Tensor, source: Tensor, phase: Tensor, block: Block
) -> Float[Tensor, "bucket rows channels"]:
    """S of one order: rows (t, r, component)."""
    gathered = x[:, block.start : block.stop].index_select(0, source)
    return torch.bmm(phase, gathered.view(len(phase), -1, block.count))


def _pairs(
    sums: Tensor, matrices: list[Tensor], type_out: FeatureType, out: Tensor
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """(rows of S as a matrix, columns of the output, matrix between them) for every order."""
    flat = sums.view(len(sums), -1)
    step = flat.shape[1] // (2 * type_out.order + 1)
    for block, matrix in zip(type_out.blocks, matrices, strict=True):
        if block.count:
            first = 0 if block.order == 0 else (2 * block.order - 1) * step
            last = first + matrix.shape[0]
            yield flat[:, first:last], out[:, block.start : block.stop], matrix


def _mix(sums: Tensor, matrices: list[Tensor], problem: Problem, out: Tensor) -> None:
    for part, columns, matrix in _pairs(sums, matrices, problem.type_out, out):
        columns.addmm_(part, matrix)


def _mixings(weight: Tensor, problem: Problem) -> list[list[Tensor]]:
    """G for every input order and output order."""
    return [
        [mixing(weight[:, into.start : into.stop], out) for out in problem.type_out.blocks]
        for into in problem.type_in.blocks
    ]


def _fold(slopes: list[list[Tensor]], problem: Problem) -> Float[Tensor, "rings inputs outputs"]:
    rings = problem.graph.ring_count
    rows = [
        torch.cat(
            [
                fold_mixing(slope, rings, block)
                for slope, block in zip(row, problem.type_out.blocks, strict=True)
            ],
            2,
        )
        for row in slopes
    ]
    return torch.cat(rows, 1)


def _weighed(graph: EdgeGraph, rows: Tensor) -> Tensor:
    return rows if graph.self_weight is None else rows * graph.self_weight[:, None]


def _start(
    problem: Problem, x: Tensor, self_weight: Tensor | None, bias: Tensor | None
) -> Float[Tensor, "vertices width_out"]:
    """The terms that need no neighbour's features: bias, and the vertex itself."""
    kind = problem.type_out
    if bias is None:
        out = x.new_zeros(len(x), kind.width)
    else:
        out = circle_sums(problem) @ spread_bias(bias, kind)
    if self_weight is not None:
        own = _weighed(problem.graph, x)
        blocks = self_blocks(self_weight, problem.type_in, kind)
        for matrix, into, to in zip(blocks, problem.type_in.blocks, kind.blocks, strict=False):
            out[:, to.start : to.stop].addmm_(own[:, into.start : into.stop], matrix)
    return out


def circle_sums(problem: Problem) -> Float[Tensor, "vertices functions"]:
    """sum_e w_e t(theta_e), and the weight of the vertex itself in the first column."""
    graph, order = problem.graph, problem.type_out.order
    key = ("circle_sums", order)
    if key not in graph.cache:
        rows = graph.edge_weight[:, None] * circle(graph.post, order)
        sums = rows.new_zeros(graph.vertices, 2 * order + 1).index_add_(0, graph.target, rows)
        sums[:, 0] += 1.0 if graph.self_weight is None else graph.self_weight
        graph.cache[key] = sums
    found: Tensor = graph.cache[key]
    return found


def _self_transposed(problem: Problem, own: Tensor, self_weight: Tensor, dx: Tensor) -> None:
    blocks = self_blocks(self_weight, problem.type_in, problem.type_out)
    for matrix, into, to in zip(
        blocks, problem.type_in.blocks, problem.type_out.blocks, strict=False
    ):
        dx[:, into.start : into.stop].addmm_(own[:, to.start : to.stop], matrix.T)


def _self_slope(problem: Problem, own: Tensor, x: Tensor) -> Float[Tensor, " self_numbers"]:
    pairs = zip(problem.type_in.blocks, problem.type_out.blocks, strict=False)
    slopes = [x[:, into.start : into.stop].T @ own[:, to.start : to.stop] for into, to in pairs]
    return fold_self(slopes, problem.type_in, problem.type_out)


def _bias_slope(problem: Problem, g: Tensor) -> Float[Tensor, " width_out"]:
    return bias_rows(circle_sums(problem).T @ g, problem.type_out)


def _buckets(problem: Problem) -> list[Bucket]:
    """The vertices by degree, in chunks; kept with the graph for the other layers."""
    graph = problem.graph
    present = tuple(count > 0 for count in problem.type_in.multiplicities)
    key = ("buckets", present, problem.type_out.order)
    if key not in graph.cache:
        graph.cache[key] = list(_make_buckets(graph, present, problem.type_out.order))
    found: list[Bucket] = graph.cache[key]
    return found


def _make_buckets(graph: EdgeGraph, present: tuple[bool, ...], order_out: int) -> Iterator[Bucket]:
    degree = graph.indptr.diff()
    padded = torch.where(degree <= EXACT_DEGREES, degree, (degree + 3) // 4 * 4)
    functions = (2 * order_out + 1) * graph.ring_count
    for size in torch.unique(padded[padded > 0]).tolist():
        rows = (padded == size).nonzero().flatten()
        step = max(64, CHUNK_NUMBERS // (functions * 32))
        for start in range(0, len(rows), step):
            yield _bucket(graph, rows[start : start + step], size, present, order_out)


def _bucket(
    graph: EdgeGraph, rows: Tensor, size: int, present: tuple[bool, ...], order_out: int
) -> Bucket:
    offsets = torch.arange(size, device=rows.device)
    edge = graph.indptr[rows][:, None] + offsets
    real = offsets < graph.indptr.diff()[rows][:, None]
    edge = torch.where(real, edge, torch.zeros_like(edge)).flatten()
    rings = torch.where(real.flatten()[:, None], graph.rings[edge], 0.0)
    # t[e, (function, ring)], zero for edges that only fill up.
    t = (circle(graph.post[edge], order_out)[:, :, None] * rings[:, None]).flatten(1)
    turns = powers(graph.pre[edge], len(present) - 1)
    shape = (len(rows), size)
    phases: list[Tensor | None] = [_scalar_phase(t, shape) if present[0] else None]
    for order in range(1, len(present)):
        phases.append(_turning_phase(t, turns[order - 1], shape) if present[order] else None)
    source = torch.where(real.flatten(), graph.source[edge], rows.repeat_interleave(size))
    return Bucket(rows, source, tuple(phases))


def _scalar_phase(t: Tensor, shape: tuple[int, int]) -> Float[Tensor, "bucket rows degree"]:
    return t.view(*shape, -1).transpose(1, 2).contiguous()


def _turning_phase(
    t: Tensor, unit: Tensor, shape: tuple[int, int]
) -> Float[Tensor, "bucket rows columns"]:
    """Rows (t, real or imaginary part of u), columns (edge, real or imaginary part of x)."""
    cos, sin = unit.unbind(1)
    turn = torch.stack([torch.stack([cos, -sin], -1), torch.stack([sin, cos], -1)], -2)
    full = t[:, :, None, None] * turn[:, None]
    count, size = shape
    full = full.view(count, size, -1, 2, 2).permute(0, 2, 3, 1, 4)
    return full.reshape(count, -1, 2 * size)
