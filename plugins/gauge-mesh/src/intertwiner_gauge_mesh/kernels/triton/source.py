# mypy: disable-error-code="no-untyped-def,untyped-decorator,no-untyped-call"
"""The two kernels. Features are `[vertices, 2L + 1, C]` with C a power of two, 16 or more."""

from __future__ import annotations

import triton
import triton.language as tl

__all__ = ["sum_and_mix", "weight_slopes"]


@triton.jit
def _edge_sums(
    x,
    circle,
    turn,
    rings,
    source,
    first,
    degree,
    inside,
    m,
    n: tl.constexpr,
    r: tl.constexpr,
    LIN: tl.constexpr,
    LOUT: tl.constexpr,
    RINGS: tl.constexpr,
    C: tl.constexpr,
    TILE: tl.constexpr,
):
    """sum_e w_er (cos, sin)(m theta) (Re, Im) u_e of order n for a tile: four [TILE, C]."""
    number = x.dtype.element_ty
    channel = tl.arange(0, C)
    cos_re = tl.zeros((TILE, C), dtype=number)
    cos_im = tl.zeros((TILE, C), dtype=number)
    sin_re = tl.zeros((TILE, C), dtype=number)
    sin_im = tl.zeros((TILE, C), dtype=number)
    for slot in range(tl.max(degree, axis=0)):
        real = inside & (slot < degree)
        edge = first + slot
        weight = tl.load(rings + edge * RINGS + r, mask=real, other=0.0)
        place = circle + edge * (2 * LOUT + 1)
        cosine = weight * tl.load(place + tl.maximum(2 * m - 1, 0), mask=real, other=0.0)
        sine = weight * tl.load(place + 2 * m, mask=real, other=0.0)
        row = tl.load(source + edge, mask=real, other=0) * ((2 * LIN + 1) * C)
        at = x + row[:, None] + channel[None, :]
        if n == 0:
            u_re = tl.load(at, mask=real[:, None], other=0.0)
            cos_re += cosine[:, None] * u_re
            sin_re += sine[:, None] * u_re
        else:
            a = tl.load(at + (2 * n - 1) * C, mask=real[:, None], other=0.0)
            b = tl.load(at + 2 * n * C, mask=real[:, None], other=0.0)
            unit = turn + edge * (2 * LIN + 1) + 2 * n - 1
            c = tl.load(unit, mask=real, other=0.0)[:, None]
            s = tl.load(unit + 1, mask=real, other=0.0)[:, None]
            u_re = c * a - s * b
            u_im = s * a + c * b
            cos_re += cosine[:, None] * u_re
            sin_re += sine[:, None] * u_re
            cos_im += cosine[:, None] * u_im
            sin_im += sine[:, None] * u_im
    return cos_re, cos_im, sin_re, sin_im


@triton.jit
def _place(m, t, r, component, RINGS: tl.constexpr, LIN: tl.constexpr, C: tl.constexpr):
    """First row of a block of the mixing matrices [LOUT + 1, 2, RINGS, 2 LIN + 1, C, N]."""
    return (((m * 2 + t) * RINGS + r) * (2 * LIN + 1) + component) * C


@triton.jit
def sum_and_mix(
    x,
    circle,
    turn,
    rings,
    source,
    indptr,
    matrices,
    out,
    vertices,
    LIN: tl.constexpr,
    LOUT: tl.constexpr,
    RINGS: tl.constexpr,
    C: tl.constexpr,
    N: tl.constexpr,
    TILE: tl.constexpr,
):
    """out[v, m, :] = sum over (t, r, i) of S[v; t, r, i] G_m[t, r, i, :]."""
    m = tl.program_id(1)
    rows = tl.program_id(0) * TILE + tl.arange(0, TILE)
    inside = rows < vertices
    first = tl.load(indptr + rows, mask=inside, other=0)
    degree = tl.load(indptr + rows + 1, mask=inside, other=0) - first
    channel = tl.arange(0, C)
    column = tl.arange(0, N)
    total = tl.zeros((TILE, N), dtype=x.dtype.element_ty)
    for n in tl.static_range(LIN + 1):
        for r in tl.static_range(RINGS):
            cos_re, cos_im, sin_re, sin_im = _edge_sums(
                x, circle, turn, rings, source, first, degree, inside, m,
                n, r, LIN, LOUT, RINGS, C, TILE,
            )  # fmt: skip
            component = 0 if n == 0 else 2 * n - 1
            for t in tl.static_range(2):
                row = _place(m, t, r, component, RINGS, LIN, C) + channel
                block = tl.load(matrices + row[:, None] * N + column[None, :])
                left = cos_re if t == 0 else sin_re
                total += tl.dot(left, block, input_precision="ieee")
                if n > 0:
                    block = tl.load(matrices + (row + C)[:, None] * N + column[None, :])
                    left = cos_im if t == 0 else sin_im
                    total += tl.dot(left, block, input_precision="ieee")
    at = out + (rows * (LOUT + 1) + m)[:, None] * N + column[None, :]
    tl.store(at, total, mask=inside[:, None])


@triton.jit
def weight_slopes(
    x,
    circle,
    turn,
    rings,
    source,
    indptr,
    g,
    slopes,
    vertices,
    GROUP,
    LIN: tl.constexpr,
    LOUT: tl.constexpr,
    RINGS: tl.constexpr,
    C: tl.constexpr,
    N: tl.constexpr,
    TILE: tl.constexpr,
):
    """slopes[group, m, t, r, i, :] = sum over the vertices of GROUP tiles of S^T g."""
    group = tl.program_id(0)
    m = tl.program_id(1)
    tiles = tl.cdiv(vertices, TILE)
    channel = tl.arange(0, C)
    column = tl.arange(0, N)
    number = x.dtype.element_ty
    size = (LOUT + 1) * 2 * RINGS * (2 * LIN + 1) * C * N
    for n in tl.static_range(LIN + 1):
        for r in tl.static_range(RINGS):
            cos_re_sum = tl.zeros((C, N), dtype=number)
            cos_im_sum = tl.zeros((C, N), dtype=number)
            sin_re_sum = tl.zeros((C, N), dtype=number)
            sin_im_sum = tl.zeros((C, N), dtype=number)
            for tile in range(group * GROUP, tl.minimum((group + 1) * GROUP, tiles)):
                rows = tile * TILE + tl.arange(0, TILE)
                inside = rows < vertices
                first = tl.load(indptr + rows, mask=inside, other=0)
                degree = tl.load(indptr + rows + 1, mask=inside, other=0) - first
                at = g + (rows * (LOUT + 1) + m)[:, None] * N + column[None, :]
                right = tl.load(at, mask=inside[:, None], other=0.0)
                cos_re, cos_im, sin_re, sin_im = _edge_sums(
                    x, circle, turn, rings, source, first, degree, inside, m,
                    n, r, LIN, LOUT, RINGS, C, TILE,
                )  # fmt: skip
                cos_re_sum += tl.dot(tl.trans(cos_re), right, input_precision="ieee")
                sin_re_sum += tl.dot(tl.trans(sin_re), right, input_precision="ieee")
                if n > 0:
                    cos_im_sum += tl.dot(tl.trans(cos_im), right, input_precision="ieee")
                    sin_im_sum += tl.dot(tl.trans(sin_im), right, input_precision="ieee")
            component = 0 if n == 0 else 2 * n - 1
            for t in tl.static_range(2):
                row = _place(m, t, r, component, RINGS, LIN, C) + channel
                at = slopes + group * size + row[:, None] * N + column[None, :]
                tl.store(at, cos_re_sum if t == 0 else sin_re_sum)
                if n > 0:
                    tl.store(at + C * N, cos_im_sum if t == 0 else sin_im_sum)
