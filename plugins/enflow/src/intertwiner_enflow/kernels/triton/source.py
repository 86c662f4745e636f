# mypy: disable-error-code="no-untyped-def,untyped-decorator,no-untyped-call"
"""The kernels. Widths are padded to powers of two of at least 16, as products of tiles ask for.

Names as in `kernels.edge_block` and `kernels.mid_tangent`; b numbers configurations, i and j
particles, f features, k directions. Arguments have no annotations: Triton would read them.
"""

from __future__ import annotations

import triton
import triton.language as tl

__all__ = ["edge_block", "mid_tangent"]


@triton.jit
def edge_block(
    x, source, target, e, pairs,
    distance, initial, second, second_bias, gate, gate_bias,
    coord, coord_bias, out, moved, gathered,
    n, features, softening, bound,
    DIM: tl.constexpr, ATTENTION: tl.constexpr, INITIAL: tl.constexpr, BOUNDED: tl.constexpr,
    TILE: tl.constexpr, WIDTH: tl.constexpr,
):  # fmt: skip
    """moved_i = sum_j u_ij c_ij and gathered_i = sum_j m_ij of one particle i."""
    row = tl.program_id(0).to(tl.int64)
    b, f = row // n, tl.arange(0, WIDTH)
    inside = f < features
    both = inside[:, None] & inside[None, :]
    square = f[None, :] * features + f[:, None]
    second_t = tl.load(second + square, both, 0.0)
    coord_t = tl.load(coord + square, both, 0.0)
    second_b = tl.load(second_bias + f, inside, 0.0)
    coord_b = tl.load(coord_bias + f, inside, 0.0)
    out_f = tl.load(out + f, inside, 0.0)
    by_distance = tl.load(distance + f, inside, 0.0)
    own = tl.load(source + row * features + f, inside, 0.0)
    sums = tl.zeros((WIDTH,), own.dtype)
    a = tl.arange(0, 4)
    steps = tl.zeros((4,), own.dtype)
    place = tl.load(x + row * DIM + a, a < DIM, 0.0)
    for start in range(0, n, TILE):
        j = start + tl.arange(0, TILE)
        real = j < n
        other = b * n + j
        pair = tl.load(pairs + row * n + j, real, 0.0)
        at = other[:, None] * DIM + a[None, :]
        d = place[None, :] - tl.load(x + at, real[:, None] & (a < DIM)[None, :], 0.0)
        r2 = tl.sum(d * d, 1)
        full = real[:, None] & inside[None, :]
        z = own[None, :] + tl.load(target + other[:, None] * features + f[None, :], full, 0.0)
        z += r2[:, None] * by_distance[None, :]
        if INITIAL:
            by_initial = tl.load(initial + f, inside, 0.0)
            z += tl.load(e + row * n + j, real, 0.0)[:, None] * by_initial[None, :]
        a1 = z / (1.0 + tl.exp(-z))
        z2 = tl.dot(a1, second_t, input_precision="ieee", out_dtype=a1.dtype) + second_b[None, :]
        m = z2 / (1.0 + tl.exp(-z2))
        if ATTENTION:
            weight = tl.load(gate + f, inside, 0.0)
            open_ = tl.sum(m * weight[None, :], 1) + tl.load(gate_bias)
            m = m * (pair / (1.0 + tl.exp(-open_)))[:, None]
        else:
            m = m * pair[:, None]
        y = tl.dot(m, coord_t, input_precision="ieee", out_dtype=m.dtype) + coord_b[None, :]
        c = tl.sum(y / (1.0 + tl.exp(-y)) * out_f[None, :], 1)
        if BOUNDED:
            c = bound * (2.0 / (1.0 + tl.exp(-2.0 * c)) - 1.0)
        scaled = c * pair / (tl.sqrt(r2 + softening) + 1.0)
        steps += tl.sum(d * scaled[:, None], 0)
        sums += tl.sum(m, 0)
    tl.store(moved + row * DIM + a, steps, a < DIM)
    tl.store(gathered + row * features + f, sums, inside)


@triton.jit
def mid_tangent(
    source, target, dr2, de, slope1, gs, ag, was,
    second, distance, initial, out,
    directions, batch, n, features,
    ATTENTION: tl.constexpr, INITIAL: tl.constexpr, TILE: tl.constexpr, WIDTH: tl.constexpr,
):  # fmt: skip
    """out_i = sum_j gs dz2 + ag (was . dz2) of one particle i and a tile of directions."""
    row = tl.program_id(0).to(tl.int64)
    k = (tl.program_id(1) * TILE + tl.arange(0, TILE)).to(tl.int64)
    b, f = row // n, tl.arange(0, WIDTH)
    real, inside = k < directions, f < features
    full = real[:, None] & inside[None, :]
    both = inside[:, None] & inside[None, :]
    second_t = tl.load(second + f[None, :] * features + f[:, None], both, 0.0)
    by_distance = tl.load(distance + f, inside, 0.0)
    rows = batch * n
    own = tl.load(source + (k * rows + row)[:, None] * features + f[None, :], full, 0.0)
    sums = tl.zeros((TILE, WIDTH), own.dtype)
    for j in range(n):
        there = (k * rows + b * n + j)[:, None] * features + f[None, :]
        at = (k * rows + row) * n + j
        dz = own + tl.load(target + there, full, 0.0)
        dz += tl.load(dr2 + at, real, 0.0)[:, None] * by_distance[None, :]
        if INITIAL:
            by_initial = tl.load(initial + f, inside, 0.0)
            dz += tl.load(de + at, real, 0.0)[:, None] * by_initial[None, :]
        pair = (row * n + j) * features + f
        dz = dz * tl.load(slope1 + pair, inside, 0.0)[None, :]
        dz2 = tl.dot(dz, second_t, input_precision="ieee", out_dtype=dz.dtype)
        sums += dz2 * tl.load(gs + pair, inside, 0.0)[None, :]
        if ATTENTION:
            turned = tl.sum(dz2 * tl.load(was + pair, inside, 0.0)[None, :], 1)
            sums += turned[:, None] * tl.load(ag + pair, inside, 0.0)[None, :]
    tl.store(out + (k * rows + row)[:, None] * features + f[None, :], sums, full)
