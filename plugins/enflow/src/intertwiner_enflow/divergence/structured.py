"""Exact divergence of the position flow: closed-form first layer, forward tangents only between.

The Jacobian's diagonal is wanted, and the coordinate directions k = (p, a) (particle, axis) are
sparse at both ends of the network:

* First layer: all h are functions of distances alone, so that a pair's displacement has the
  Jacobian G_ij = c/(n+1) I + u d^T (2 kappa - c/(n(n+1))) and its message the slope M_ij by r2;
  all tangents follow without a pass per direction.
* Layers from the second on: dc = p.dh_i + q.dh_j + rho dr2 + eta de with p, q, rho, eta taken
  once per pair in reverse, in place of two products per direction.
* Middle layers: one product [directions x pairs, F] x [F, F], the whole cost, in chunks.
* Last layer: direction (p, a) needs only the pairs that leave p.

Everything is ordinary arithmetic: one backward pass gives the gradient of the divergence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import linear

from intertwiner_enflow.dynamics.networks import linear_of
from intertwiner_enflow.kernels.choice import pair_terms
from intertwiner_enflow.kernels.edge_block import (
    EdgeWeights,
    PairGeometry,
    first_layer,
    geometry,
    silu_and_slope,
)
from intertwiner_enflow.kernels.mid_tangent import mid_tangent

if TYPE_CHECKING:
    from intertwiner_enflow.dynamics.layer import EgnnLayer
    from intertwiner_enflow.dynamics.stack import EgnnStack

__all__ = ["egnn_divergence"]


class Pairs(NamedTuple):
    """One layer's pair quantities at the current state."""

    at: PairGeometry
    slope1: Float[Tensor, "batch n n features"]
    slope2: Float[Tensor, "batch n n features"]
    a2: Float[Tensor, "batch n n features"]
    g: Float[Tensor, "batch n n 1"] | None
    m: Float[Tensor, "batch n n features"]
    slope_y: Float[Tensor, "batch n n features"]
    c: Float[Tensor, "batch n n 1"]
    dc_dout: Float[Tensor, "batch n n 1"] | float


class Tangents(NamedTuple):
    """Tangents along all coordinate directions (p, a); de only touches pairs of p."""

    dx: Float[Tensor, "n dim batch n dim"]
    dh: Float[Tensor, "n dim batch n features"]
    de: Float[Tensor, "n dim batch n n 1"]


def egnn_divergence(
    stack: EgnnStack, x: Float[Tensor, "batch n dim"], h: Float[Tensor, "batch n features"]
) -> tuple[Float[Tensor, "batch n dim"], Float[Tensor, " batch"]]:
    """x^L - x, and the trace of its Jacobian by x; h is a constant."""
    count, dim = x.shape[-2:]
    off = (1 - torch.eye(count, dtype=x.dtype, device=x.device)).reshape(1, count, count, 1)
    start, layers = geometry(x), list(stack.each())
    pairs = _pairs(start, h, start.r2, off, layers[0].weights())
    jacobian, message_slope = _first(pairs, layers[0].weights())
    position = x + (pairs.at.u * pairs.c).sum(dim=-2)
    if len(layers) == 1:
        return position - x, _trace(jacobian)
    dx = _first_positions(jacobian)
    h, dh = _update(layers[0], h, pairs.m, None, _first_messages(start.d, message_slope))
    tangents = Tangents(dx, dh, _initial_distances(start.d))
    for layer in layers[1:-1]:
        pairs = _pairs(geometry(position), h, start.r2, off, layer.weights())
        position, h, tangents = _middle(layer, pairs, position, h, tangents)
    weights = layers[-1].weights()
    pairs = _pairs(geometry(position), h, start.r2, off, weights)
    trace = _last(pairs, weights, tangents, start.d)
    position = position + (pairs.at.u * pairs.c).sum(dim=-2)
    return position - x, trace - count * dim


def _pairs(at: PairGeometry, h: Tensor, e: Tensor, off: Tensor, weights: EdgeWeights) -> Pairs:
    a1, slope1 = silu_and_slope(first_layer(h, at.r2, e, weights))
    a2, slope2 = silu_and_slope(linear(a1, weights.second, weights.second_bias))
    if weights.attention is None:
        g, m = None, a2 * off
    else:
        g = linear(a2, weights.attention, weights.attention_bias).sigmoid() * off
        m = a2 * g
    y, slope_y = silu_and_slope(linear(m, weights.coord, weights.coord_bias))
    c = linear(y, weights.coord_out)
    if weights.bound is None:
        return Pairs(at, slope1, slope2 * off, a2, g, m, slope_y, c, 1.0)
    bounded = c.tanh()
    slope = weights.bound * (1 - bounded.square())
    return Pairs(at, slope1, slope2 * off, a2, g, m, slope_y, bounded * weights.bound, slope)


def _first(
    pairs: Pairs, weights: EdgeWeights
) -> tuple[Float[Tensor, "batch n n dim dim"], Float[Tensor, "batch n n features"]]:
    """G_ij, and M_ij = dm_ij / dr2."""
    both = weights.distance if weights.initial is None else weights.distance + weights.initial
    da2 = linear(pairs.slope1 * both, weights.second) * pairs.slope2
    if weights.attention is None or pairs.g is None:
        slope = da2
    else:
        gate = (1 - pairs.g) * linear(da2, weights.attention)
        slope = torch.addcmul(pairs.g * da2, pairs.m, gate)
    kappa = linear(pairs.slope_y * linear(slope, weights.coord), weights.coord_out)
    d, _, n, u = pairs.at
    scaled = pairs.c / (n + 1)
    along = 2 * kappa * pairs.dc_dout - scaled / n
    identity = torch.eye(d.shape[-1], dtype=d.dtype, device=d.device)
    outer = u.unsqueeze(-1) * (d * along).unsqueeze(-2)
    jacobian = torch.addcmul(outer, scaled.unsqueeze(-1), identity)
    return _without_diagonal(jacobian), slope


def _without_diagonal(jacobian: Tensor) -> Tensor:
    """Pairs of a particle with itself have no Jacobian."""
    count = jacobian.shape[1]
    off = 1 - torch.eye(count, dtype=jacobian.dtype, device=jacobian.device)
    return jacobian * off[:, :, None, None]


def _trace(jacobian: Float[Tensor, "batch n n dim dim"]) -> Float[Tensor, " batch"]:
    return jacobian.diagonal(dim1=-2, dim2=-1).sum(dim=(1, 2, 3))


def _first_positions(jacobian: Tensor) -> Float[Tensor, "n dim batch n dim"]:
    """dx_m = -G_mp[:, a], and e_a + sum_j G_pj[:, a] where m is p."""
    count, dim = jacobian.shape[1], jacobian.shape[-1]
    identity = torch.eye(dim, dtype=jacobian.dtype, device=jacobian.device)
    own = jacobian.sum(dim=2) + identity
    spread = torch.diag_embed(own.permute(0, 2, 3, 1)).permute(0, 3, 4, 1, 2) - jacobian
    return spread.permute(2, 4, 0, 1, 3).reshape(count, dim, -1, count, dim)


def _first_messages(d: Tensor, slope: Tensor) -> Float[Tensor, "n dim batch n features"]:
    """Tangents of sum_j m: -2 d_mp,a M_mp, and 2 sum_j d_pj,a M_pj where m is p."""
    own = 2 * torch.einsum("bpja,bpjf->pabf", d, slope)
    other = torch.einsum("bmpa,bmpf->pabmf", d, slope).mul(-2)
    return _placed(other, own)


def _placed(other: Tensor, own: Tensor) -> Tensor:
    """`other` [p, a, batch, m, f] with `own` [p, a, batch, f] added where m is p."""
    identity = torch.eye(other.shape[0], dtype=other.dtype, device=other.device)
    return torch.addcmul(other, own.unsqueeze(3), identity[:, None, None, :, None])


def _initial_distances(d: Tensor) -> Float[Tensor, "n dim batch n n 1"]:
    """de of pairs (p, j) and (j, p): 2 d_pj,a; zero for the pairs that do not touch p."""
    count = d.shape[1]
    identity = torch.eye(count, dtype=d.dtype, device=d.device)
    touch = (identity.unsqueeze(2) - identity.unsqueeze(1)).reshape(count, 1, 1, count, count)
    return (2 * touch * d.permute(3, 0, 1, 2)).unsqueeze(-1)


def _update(
    layer: EgnnLayer, h: Tensor, m: Tensor, dh: Tensor | None, dgathered: Tensor
) -> tuple[Tensor, Tensor]:
    """The next h and its tangents from the messages m and the tangents of their sum."""
    first, second, width = linear_of(layer.node, 0), linear_of(layer.node, 2), layer.features
    active, slope = silu_and_slope(first(torch.cat((h, m.sum(dim=-2)), dim=-1)))
    change = linear(dgathered, first.weight[:, width:])
    if dh is not None:
        change = change + linear(dh, first.weight[:, :width])
    change = linear(change * slope, second.weight)
    return h + second(active), change if dh is None else dh + change


class Reverse(NamedTuple):
    """dc = p.dh_i + q.dh_j + rho dr2 + eta de for every pair."""

    p: Float[Tensor, "batch n n features"]
    q: Float[Tensor, "batch n n features"]
    rho: Float[Tensor, "batch n n"]
    eta: Float[Tensor, "batch n n"] | None


def _reverse(pairs: Pairs, weights: EdgeWeights) -> Reverse:
    inner = pairs.dc_dout * pairs.slope_y * weights.coord_out
    gamma = linear(inner, weights.coord.T)
    if weights.attention is not None and pairs.g is not None:
        gate = pairs.g * (1 - pairs.g) * (gamma * pairs.a2).sum(dim=-1, keepdim=True)
        gamma = torch.addcmul(pairs.g * gamma, gate, weights.attention)
    ghat = linear(gamma * pairs.slope2, weights.second.T) * pairs.slope1
    eta = None if weights.initial is None else ghat @ weights.initial
    p, q = linear(ghat, weights.source.T), linear(ghat, weights.target.T)
    return Reverse(p, q, ghat @ weights.distance, eta)


def _middle(
    layer: EgnnLayer, pairs: Pairs, x: Tensor, h: Tensor, tangents: Tangents
) -> tuple[Tensor, Tensor, Tangents]:
    weights, (d, _, n, u) = layer.weights(), pairs.at
    reverse = _reverse(pairs, weights)
    scaled = (pairs.c / (n + 1)).squeeze(-1)
    shrink = scaled / (2 * n.squeeze(-1))
    dx, dh, de = (part.flatten(0, 1) for part in tangents)
    ddf = dx.unsqueeze(-2) - dx.unsqueeze(-3)
    dr2 = 2 * (d * ddf).sum(dim=-1)
    dc = torch.einsum("bijf,kbif->kbij", reverse.p, dh) + torch.einsum(
        "bijf,kbjf->kbij", reverse.q, dh
    )
    dc = torch.addcmul(dc, reverse.rho - shrink, dr2)
    if reverse.eta is not None:
        dc = torch.addcmul(dc, reverse.eta, de.squeeze(-1))
    moved = torch.addcmul(dc.unsqueeze(-1) * u, scaled.unsqueeze(-1), ddf).sum(dim=-2)
    gathered = _gathered_tangents(pairs, weights, dh, dr2, de.squeeze(-1))
    next_h, dh = _update(layer, h, pairs.m, dh, gathered)
    shape = tangents.dx.shape[:2]
    advanced = tangents._replace(dx=(dx + moved).unflatten(0, shape), dh=dh.unflatten(0, shape))
    return x + (u * pairs.c).sum(dim=-2), next_h, advanced


def _gathered_tangents(
    pairs: Pairs, weights: EdgeWeights, dh: Tensor, dr2: Tensor, de: Tensor
) -> Float[Tensor, "directions batch n features"]:
    """Tangents of sum_j m_ij in a middle layer."""
    source, target = linear(dh, weights.source), linear(dh, weights.target)
    if weights.attention is None or pairs.g is None:
        gs, ag, was = pairs.slope2, None, None
    else:
        gs = pairs.g * pairs.slope2
        ag, was = pairs.m * (1 - pairs.g), weights.attention * pairs.slope2
    terms = pair_terms("mid_tangent", source, mid_tangent)
    found: Tensor = terms(
        source, target, dr2, de, pairs.slope1, gs, ag, was,
        weights.second, weights.distance, weights.initial,
    )  # fmt: skip
    return found


def _last(
    pairs: Pairs, weights: EdgeWeights, tangents: Tangents, initial: Tensor
) -> Float[Tensor, " batch"]:
    """The trace of the whole Jacobian of x^L; direction (p, a) with the pairs that leave p."""
    d, _, n, u = pairs.at
    reverse = _reverse(pairs, weights)
    own = torch.arange(d.shape[1], device=d.device)
    dx_own = tangents.dx[own, :, :, own]
    dh_own = tangents.dh[own, :, :, own]
    ddf = dx_own.unsqueeze(3) - tangents.dx
    dr2 = 2 * torch.einsum("bpjd,pabjd->pabj", d, ddf)
    dc = torch.einsum("bpjf,pabf->pabj", reverse.p, dh_own)
    dc = dc + torch.einsum("bpjf,pabjf->pabj", reverse.q, tangents.dh)
    scaled = (pairs.c / (n + 1)).squeeze(-1)
    inner = reverse.rho - scaled / (2 * n.squeeze(-1))
    dc = torch.addcmul(dc, inner.transpose(0, 1).unsqueeze(1), dr2)
    if reverse.eta is not None:
        de = 2 * initial * reverse.eta.unsqueeze(-1)
        dc = dc + de.permute(1, 3, 0, 2)
    turned = torch.einsum("bpja,pabj->b", u, dc)
    stretched = torch.einsum("bpj,pabja->b", scaled, ddf)
    return turned + stretched + torch.einsum("paba->b", dx_own)
