"""The pair terms of one layer, dense in torch: all ordered pairs of a configuration at once.

`edge_block` gives sum_j u_ij c_ij and sum_j m_ij (see `dynamics.layer`), `edge_block_tangents`
the same with directional derivatives carried forward, so that no graph is needed for them. The
two products with h_i and h_j are taken at the nodes; squared distances enter as rank-one terms.
`edge_block_reference` is written pair by pair as in the equations, and is the oracle.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import linear, silu

__all__ = [
    "SOFTENING",
    "EdgeTangents",
    "EdgeWeights",
    "PairGeometry",
    "edge_block",
    "edge_block_reference",
    "edge_block_tangents",
    "geometry",
    "silu_and_slope",
]

SOFTENING = 1e-8
"""Added to squared distances under the root, so that its slope is finite where particles meet."""


class EdgeWeights(NamedTuple):
    """The weights of the pair terms; names as in the equations' Ws, Wt, wr, we, b1, W2, b2, ..."""

    source: Float[Tensor, "features features"]
    target: Float[Tensor, "features features"]
    distance: Float[Tensor, " features"]
    initial: Float[Tensor, " features"] | None
    bias: Float[Tensor, " features"]
    second: Float[Tensor, "features features"]
    second_bias: Float[Tensor, " features"]
    attention: Float[Tensor, "1 features"] | None
    attention_bias: Float[Tensor, " one"] | None
    coord: Float[Tensor, "features features"]
    coord_bias: Float[Tensor, " features"]
    coord_out: Float[Tensor, "1 features"]
    bound: float | None


class EdgeTangents(NamedTuple):
    """A layer's state with tangents along `directions`; dh is None where h does not change."""

    x: Float[Tensor, "batch n dim"]
    dx: Float[Tensor, "directions batch n dim"]
    h: Float[Tensor, "batch n features"]
    dh: Float[Tensor, "directions batch n features"] | None
    e: Float[Tensor, "batch n n 1"]
    de: Float[Tensor, "directions batch n n 1"]


class PairGeometry(NamedTuple):
    """Differences d, squared distances r2, softened distances n, and u = d / (n + 1)."""

    d: Float[Tensor, "batch n n dim"]
    r2: Float[Tensor, "batch n n 1"]
    n: Float[Tensor, "batch n n 1"]
    u: Float[Tensor, "batch n n dim"]


def geometry(x: Float[Tensor, "batch n dim"]) -> PairGeometry:
    """Of all ordered pairs; zero on the diagonal."""
    d = x.unsqueeze(-2) - x.unsqueeze(-3)
    r2 = d.square().sum(dim=-1, keepdim=True)
    n = (r2 + SOFTENING).sqrt()
    return PairGeometry(d, r2, n, d / (n + 1))


def silu_and_slope(z: Float[Tensor, "*shape"]) -> tuple[Tensor, Tensor]:
    """silu(z) = z sigmoid(z) and its derivative."""
    s = z.sigmoid()
    a = z * s
    return a, torch.addcmul(a, s, 1 - a)


def first_layer(
    h: Tensor, r2: Tensor, e: Tensor, weights: EdgeWeights
) -> Float[Tensor, "batch n n features"]:
    """z1, before the first silu."""
    source = linear(h, weights.source, weights.bias).unsqueeze(-2)
    z = source + linear(h, weights.target).unsqueeze(-3)
    if e is r2 and weights.initial is not None:
        return torch.addcmul(z, r2, weights.distance + weights.initial)
    z = torch.addcmul(z, r2, weights.distance)
    return z if weights.initial is None else torch.addcmul(z, e, weights.initial)


def edge_block(
    x: Float[Tensor, "batch n dim"],
    h: Float[Tensor, "batch n features"],
    e: Float[Tensor, "batch n n 1"] | None,
    pairs: Float[Tensor, "#batch n n 1"],
    weights: EdgeWeights,
) -> tuple[Float[Tensor, "batch n dim"], Float[Tensor, "batch n features"]]:
    """(sum_j u_ij c_ij, sum_j m_ij).

    e: squared distances at the state; None for those of x. pairs: 1 where a pair counts.
    """
    found = geometry(x)
    a1 = silu(first_layer(h, found.r2, found.r2 if e is None else e, weights))
    a2 = silu(linear(a1, weights.second, weights.second_bias))
    if weights.attention is None:
        m = a2 * pairs
    else:
        m = a2 * (linear(a2, weights.attention, weights.attention_bias).sigmoid() * pairs)
    c = linear(silu(linear(m, weights.coord, weights.coord_bias)), weights.coord_out)
    if weights.bound is not None:
        c = c.tanh() * weights.bound
    moved = (found.u * (c * pairs)).sum(dim=-2)
    return moved, m.sum(dim=-2)


def edge_block_tangents(
    state: EdgeTangents, pairs: Float[Tensor, "#batch n n 1"], weights: EdgeWeights
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """(sum_j u_ij c_ij, sum_j m_ij) and their tangents, in that order."""
    d, r2, n, u = geometry(state.x)
    ddf = state.dx.unsqueeze(-2) - state.dx.unsqueeze(-3)
    dr2 = 2 * (d * ddf).sum(dim=-1, keepdim=True)
    du = ddf / (n + 1) - u * (dr2 / (2 * n * (n + 1)))
    a1, slope1 = silu_and_slope(first_layer(state.h, r2, state.e, weights))
    dz = dr2 * weights.distance
    if weights.initial is not None:
        dz = torch.addcmul(dz, state.de, weights.initial)
    if state.dh is not None:
        dz = dz + linear(state.dh, weights.source).unsqueeze(-2)
        dz = dz + linear(state.dh, weights.target).unsqueeze(-3)
    a2, slope2 = silu_and_slope(linear(a1, weights.second, weights.second_bias))
    da2 = linear(dz * slope1, weights.second) * slope2
    if weights.attention is None:
        m, dm = a2 * pairs, da2 * pairs
    else:
        g = linear(a2, weights.attention, weights.attention_bias).sigmoid() * pairs
        m = a2 * g
        dm = torch.addcmul(da2 * g, m, (1 - g) * linear(da2, weights.attention))
    y, slope_y = silu_and_slope(linear(m, weights.coord, weights.coord_bias))
    c = linear(y, weights.coord_out)
    dc = linear(linear(dm, weights.coord) * slope_y, weights.coord_out)
    if weights.bound is not None:
        bounded = c.tanh()
        c, dc = bounded * weights.bound, dc * (weights.bound * (1 - bounded.square()))
    c, dc = c * pairs, dc * pairs
    dmoved = torch.addcmul(du * c, u, dc).sum(dim=-2)
    return (u * c).sum(dim=-2), m.sum(dim=-2), dmoved, dm.sum(dim=-2)


def edge_block_reference(
    x: Tensor, h: Tensor, e: Tensor | None, pairs: Tensor, weights: EdgeWeights
) -> tuple[Tensor, Tensor]:
    """As `edge_block`, pair by pair."""
    count = x.shape[-2]
    allowed = pairs.expand(len(x), count, count, 1)
    moved, gathered = torch.zeros_like(x), torch.zeros_like(h)
    for i in range(count):
        for j in range(count):
            if i == j:
                continue
            step, message = _pair(x, h, e, i, j, weights)
            counts = torch.zeros(count, 1, dtype=x.dtype, device=x.device)
            counts[i] = 1
            moved = moved + counts * (allowed[:, i, j] * step).unsqueeze(-2)
            gathered = gathered + counts * (allowed[:, i, j] * message).unsqueeze(-2)
    return moved, gathered


def _pair(
    x: Tensor, h: Tensor, e: Tensor | None, i: int, j: int, weights: EdgeWeights
) -> tuple[Float[Tensor, "batch dim"], Float[Tensor, "batch features"]]:
    d = x[:, i] - x[:, j]
    r2 = d.square().sum(dim=-1, keepdim=True)
    columns = [weights.source, weights.target, weights.distance.unsqueeze(1)]
    inputs = [h[:, i], h[:, j], r2]
    if weights.initial is not None:
        columns.append(weights.initial.unsqueeze(1))
        inputs.append(r2 if e is None else e[:, i, j])
    z = linear(torch.cat(inputs, dim=-1), torch.cat(columns, dim=1), weights.bias)
    m = silu(linear(silu(z), weights.second, weights.second_bias))
    if weights.attention is not None:
        m = m * linear(m, weights.attention, weights.attention_bias).sigmoid()
    c = linear(silu(linear(m, weights.coord, weights.coord_bias)), weights.coord_out)
    if weights.bound is not None:
        c = weights.bound * c.tanh()
    return d / ((r2 + SOFTENING).sqrt() + 1) * c, m
