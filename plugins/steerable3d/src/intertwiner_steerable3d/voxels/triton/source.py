# mypy: disable-error-code="no-untyped-def,untyped-decorator,no-untyped-call"
"""The two kernels. A tile is TX x TY x TZ voxels, powers of two."""

from __future__ import annotations

import triton
import triton.language as tl

__all__ = ["gather", "slopes_of_atoms"]


@triton.jit
def _factor(voxel, place, width, reach):
    """exp(-u^2 / 2) and u = (voxel - place) / width; 0 beyond the reach."""
    u = (voxel - place) / width
    near = tl.abs(voxel - place) <= reach * width
    return tl.where(near, tl.exp(-u * u / 2), 0.0), u


@triton.jit
def gather(
    places,
    weights,
    widths,
    first,
    atoms,
    out,
    reach,
    NX,
    NY,
    NZ,
    TILES_Y,
    TILES_Z,
    TX: tl.constexpr,
    TY: tl.constexpr,
    TZ: tl.constexpr,
):
    """out[volume, tile] = sum over the atoms listed for this volume and tile."""
    volume = tl.program_id(0)
    tile = tl.program_id(1)
    number = out.dtype.element_ty
    x = (tile // (TILES_Y * TILES_Z)) * TX + tl.arange(0, TX)
    y = (tile // TILES_Z % TILES_Y) * TY + tl.arange(0, TY)
    z = (tile % TILES_Z) * TZ + tl.arange(0, TZ)
    total = tl.zeros((TX, TY, TZ), dtype=number)
    slot = volume * tl.num_programs(1) + tile
    begin = tl.load(first + slot)
    end = tl.load(first + slot + 1)
    for place in range(begin, end):
        a = tl.load(atoms + place)
        fx, _ = _factor(x.to(number), tl.load(places + 3 * a), tl.load(widths + 3 * a), reach)
        fy, _ = _factor(
            y.to(number), tl.load(places + 3 * a + 1), tl.load(widths + 3 * a + 1), reach
        )
        fz, _ = _factor(
            z.to(number), tl.load(places + 3 * a + 2), tl.load(widths + 3 * a + 2), reach
        )
        fx = fx * tl.load(weights + a)
        total += fx[:, None, None] * fy[None, :, None] * fz[None, None, :]
    inside = (x < NX)[:, None, None] & (y < NY)[None, :, None] & (z < NZ)[None, None, :]
    at = (x[:, None, None] * NY + y[None, :, None]) * NZ + z[None, None, :]
    tl.store(out + volume.to(tl.int64) * NX * NY * NZ + at, total, mask=inside)


@triton.jit
def slopes_of_atoms(
    slopes,
    places,
    weights,
    widths,
    volume,
    dplaces,
    dweights,
    dwidths,
    reach,
    NX,
    NY,
    NZ,
    BOX: tl.constexpr,
):
    """Derivatives of one atom: sums over its box of voxels, plane after plane."""
    a = tl.program_id(0)
    number = slopes.dtype.element_ty
    px = tl.load(places + 3 * a)
    py = tl.load(places + 3 * a + 1)
    pz = tl.load(places + 3 * a + 2)
    wx = tl.load(widths + 3 * a)
    wy = tl.load(widths + 3 * a + 1)
    wz = tl.load(widths + 3 * a + 2)
    low_x = tl.ceil(px - reach * wx).to(tl.int32)
    y = tl.ceil(py - reach * wy).to(tl.int32) + tl.arange(0, BOX)
    z = tl.ceil(pz - reach * wz).to(tl.int32) + tl.arange(0, BOX)
    fy, uy = _factor(y.to(number), py, wy, reach)
    fz, uz = _factor(z.to(number), pz, wz, reach)
    inside = ((y >= 0) & (y < NY))[:, None] & ((z >= 0) & (z < NZ))[None, :]
    base = slopes + tl.load(volume + a) * NX * NY * NZ
    zero = tl.sum(fy, axis=0) * 0
    all_, x1, y1, z1, x2, y2, z2 = zero, zero, zero, zero, zero, zero, zero
    for i in range(BOX):
        x = low_x + i
        fx, ux = _factor(x.to(number), px, wx, reach)
        fx = tl.where(x >= 0, tl.where(x < NX, fx, 0.0), 0.0)
        row = tl.minimum(tl.maximum(x, 0), NX - 1) * NY + y[:, None]
        g = tl.load(base + row * NZ + z[None, :], mask=inside, other=0.0)
        g = g * (fx * fy[:, None] * fz[None, :])
        rows = tl.sum(g, axis=1)
        columns = tl.sum(g, axis=0)
        plane = tl.sum(rows, axis=0)
        all_ += plane
        x1 += ux * plane
        x2 += ux * ux * plane
        y1 += tl.sum(uy * rows, axis=0)
        y2 += tl.sum(uy * uy * rows, axis=0)
        z1 += tl.sum(uz * columns, axis=0)
        z2 += tl.sum(uz * uz * columns, axis=0)
    w = tl.load(weights + a)
    tl.store(dweights + a, all_)
    tl.store(dplaces + 3 * a, w * x1 / wx)
    tl.store(dplaces + 3 * a + 1, w * y1 / wy)
    tl.store(dplaces + 3 * a + 2, w * z1 / wz)
    tl.store(dwidths + 3 * a, w * x2 / wx)
    tl.store(dwidths + 3 * a + 1, w * y2 / wy)
    tl.store(dwidths + 3 * a + 2, w * z2 / wz)
