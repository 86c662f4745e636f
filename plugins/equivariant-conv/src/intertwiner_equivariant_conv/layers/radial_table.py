"""The radial network as a table of polynomials in the distance, built anew at every step.

A radial weight is a function of one variable. On K knots r_i = i h, h = cutoff/(K-1), the network
gives its value and derivatives V, V', V'' (carried forward through its layers), and on every
interval a polynomial in t = r/h - i takes them at both ends:

    W(r) = sum_q t^q T[i, q],    q = 0..5 (Hermite, twice continuously differentiable) or
                                 q = 0..3 (from V and V' alone, once).

Interpolation is linear, and so is the last layer: the coefficients are found for the last hidden
vector, in double precision, where neighbouring knots cancel, and then multiplied by the last
weights in the precision of the network. (Coefficients of a cubic through four knots, Lagrange's,
would make forces jump at the knots.)
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, field
from typing import Any, Final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from intertwiner_equivariant_conv.layers.radial import SILU_SCALE, RadialBasis, RadialNetwork

__all__ = ["DEGREES", "EdgeDistances", "Placement", "build_table", "place", "table_error"]

DEGREES: Final = (3, 5)
"""Degrees of the polynomials: from V and V', or from V, V' and V''."""

HERMITE: Final = {
    3: ((1, 0, 0, 0), (0, 1, 0, 0), (-3, -2, 3, -1), (2, 1, -2, 1)),
    5: (
        (1, 0, 0, 0, 0, 0),
        (0, 1, 0, 0, 0, 0),
        (0, 0, 0.5, 0, 0, 0),
        (-10, -6, -1.5, 10, -4, 0.5),
        (15, 8, 1.5, -15, 7, -1),
        (-6, -3, -0.5, 6, -3, 0.5),
    ),
}
"""Row q: the coefficient of t^q from (V, h V', h^2 V'') at t = 0 and then at t = 1."""

STEEPEST: Final = {3: 0.5 - 0.5 / math.sqrt(3.0), 5: 0.5 - 0.5 / math.sqrt(5.0)}
"""Where the derivative of the remainder, t^2 (1-t)^2 or t^3 (1-t)^3, is largest."""

Jet = Float[Tensor, "order knots width"]
"""Values and derivatives with respect to t, to first or second order."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where edges lie in a table of which only the intervals with an edge are kept.

    powers: t^q, differentiable in the distance. row: of the table, for every edge; the last row
    is that of edges beyond the cutoff. occupied: the intervals of the other rows.
    """

    powers: Float[Tensor, "edges degree+1"]
    row: Int[Tensor, " edges"]
    occupied: Int[Tensor, " rows"]
    knots: int


def place(
    distance: Float[Tensor, " edges"],
    cutoff: float,
    knots: int,
    degree: int,
    *,
    compact: bool = True,
) -> Placement:
    """Intervals of distances (angstrom), found in double precision, as single would lose digits.

    compact: leave intervals without an edge out of the table.
    """
    scaled = (distance.double() * ((knots - 1) / cutoff)).clamp(max=knots - 1)
    interval = scaled.detach().floor().long().clamp(0, knots - 1)
    t = (scaled - interval).to(distance.dtype)
    if not compact:
        every = torch.arange(knots - 1, device=distance.device)
        return Placement(_powers(t, degree), interval, every, knots)
    present = torch.bincount(interval, minlength=knots)[:-1] > 0
    occupied = present.nonzero().squeeze(1)
    number = torch.nn.functional.pad(present.cumsum(0) - 1, (0, 1), value=len(occupied))
    return Placement(_powers(t, degree), number[interval], occupied, knots)


def _powers(t: Float[Tensor, " edges"], degree: int) -> Float[Tensor, "edges degree+1"]:
    """1, t, t^2, ..."""
    found: Tensor = _Powers.apply(t, degree)
    return found


class _Powers(torch.autograd.Function):
    """`_powers` written in place, and its derivative by Horner's rule."""

    @staticmethod
    def forward(ctx: Any, t: Tensor, degree: int) -> Tensor:
        ctx.save_for_backward(t)
        found = t.new_empty(len(t), degree + 1)
        found[:, 0] = 1.0
        for power in range(1, degree + 1):
            torch.mul(found[:, power - 1], t, out=found[:, power])
        return found

    @staticmethod
    def backward(ctx: Any, cotangent: Tensor) -> tuple[Tensor, None]:
        (t,) = ctx.saved_tensors
        degree = cotangent.shape[1] - 1
        total = degree * cotangent[:, degree]
        for power in range(degree - 1, 0, -1):
            total = torch.addcmul(power * cotangent[:, power], total, t)
        return total, None


@dataclass(frozen=True, slots=True)
class EdgeDistances:
    """The distances (angstrom) of a batch's edges, for layers that tabulate or not.

    What several layers need, the basis functions or the places in a table, is found once.
    keep: nothing is differentiated with respect to weights, and a layer in evaluation may keep
    the table it makes until they change.
    """

    basis: RadialBasis
    distance: Float[Tensor, " edges"]
    keep: bool = False
    _found: dict[tuple[int, int], Placement] = field(default_factory=dict)
    _values: list[Tensor] = field(default_factory=list)

    def values(self) -> Float[Tensor, "edges basis"]:
        """The basis functions of every edge."""
        if not self._values:
            self._values.append(self.basis(self.distance))
        return self._values[0]

    def placed(self, knots: int, degree: int) -> Placement:
        """See `place`."""
        if (knots, degree) not in self._found:
            cutoff, compact = self.basis.cutoff, not self.keep
            found = place(self.distance, cutoff, knots, degree, compact=compact)
            self._found[knots, degree] = found
        return self._found[knots, degree]


def build_table(
    network: RadialNetwork,
    basis: RadialBasis,
    knots: int,
    degree: int = 5,
    occupied: Int[Tensor, " rows"] | None = None,
) -> Float[Tensor, "rows+1 degree+1 outputs"]:
    """Coefficients T of every interval in `occupied` (all by default), and a last row of zeros.

    Differentiable twice with respect to the weights of the network.
    """
    last = network.weights[-1]
    at_knots = _knot_jet(basis, knots, degree, last.device)
    if occupied is None:
        occupied = torch.arange(knots - 1, device=last.device)
    first = int(occupied[0]) if len(occupied) else 0
    jet = _hidden_jet(network, at_knots[:, first:])
    left = jet.index_select(1, occupied - first)
    right = jet.index_select(1, occupied - first + 1)
    ends = torch.cat([left, right]).flatten(1)
    coefficients = (_hermite(degree, ends.device) @ ends).view(degree + 1, -1, jet.shape[2])
    rows = torch.nn.functional.pad(coefficients.transpose(0, 1), (0, 0, 0, 0, 0, 1)).to(last.dtype)
    flat = rows.reshape(-1, rows.shape[2]) @ (last * _gain(network, len(network.weights) - 1))
    return flat.view(len(rows), degree + 1, -1)


@torch.no_grad()
def table_error(
    network: RadialNetwork, basis: RadialBasis, knots: int, degree: int = 5
) -> tuple[float, float]:
    """Largest error of value and derivative where it is largest in an interval, in float64.

    For the value that is the middle, for the derivative `STEEPEST`. Relative to the root mean
    square of the value, or derivative, over all intervals and outputs.
    """
    value = _error_at(network, basis, knots, degree, 0.5, order=0)
    return value, _error_at(network, basis, knots, degree, STEEPEST[degree], order=1)


def _error_at(
    network: RadialNetwork, basis: RadialBasis, knots: int, degree: int, t: float, order: int
) -> float:
    last = network.weights[-1].double()
    jet = _hidden_jet(network, _knot_jet(basis, knots, degree, last.device))
    ends = torch.cat([jet[:, :-1], jet[:, 1:]]).flatten(1)
    powers = [q**order * t ** max(q - order, 0) for q in range(degree + 1)]
    row = torch.tensor(powers, dtype=torch.float64, device=last.device)
    found = (row @ _hermite(degree, last.device) @ ends).view(knots - 1, -1)
    exact = _hidden_jet(network, _knot_jet(basis, knots, degree, last.device, t))[order]
    size = (exact @ last).square().mean().sqrt().clamp(min=torch.finfo(torch.float64).tiny)
    return float(((found - exact) @ last).abs().max() / size)


@functools.cache
def _hermite(degree: int, device: torch.device) -> Float[Tensor, "powers ends"]:
    return torch.tensor(HERMITE[degree], dtype=torch.float64, device=device)


def _gain(network: RadialNetwork, layer: int) -> float:
    """The factor of a layer's weights, see `RadialNetwork`."""
    return (SILU_SCALE if layer else 1.0) / math.sqrt(len(network.weights[layer]))


def _knot_jet(
    basis: RadialBasis, knots: int, degree: int, device: torch.device, shift: float = 0.0
) -> Jet:
    """The basis and its derivatives at the knots, or (knots - 1 of them) beyond by `shift`."""
    jet = _unscaled_jet(basis.number, basis.cutoff, knots, (degree + 1) // 2, shift)
    return jet.to(device) * basis.scale.double()


@functools.lru_cache(maxsize=32)
def _unscaled_jet(number: int, cutoff: float, knots: int, orders: int, shift: float) -> Jet:
    """By differentiation, which `bessel` and `envelope` are written for."""
    basis = RadialBasis(number, cutoff).double()
    position = torch.arange(knots - (shift > 0), dtype=torch.float64) + shift
    with torch.enable_grad():
        t = position.requires_grad_()
        columns = list(basis(t * (cutoff / (knots - 1))).unbind(1))
        jet = [columns]
        for _ in range(orders - 1):
            columns = [torch.autograd.grad(c.sum(), t, create_graph=True)[0] for c in columns]
            jet.append(columns)
    return torch.stack([torch.stack(columns, 1) for columns in jet]).detach()


def _hidden_jet(network: RadialNetwork, jet: Jet) -> Jet:
    """The last hidden vector with its derivatives, in double precision."""
    for layer, weight in enumerate(network.weights[:-1]):
        product = jet.flatten(0, 1) @ (weight.double() * _gain(network, layer))
        jet = _silu_jet(product.view(*jet.shape[:2], -1))
    return jet


def _silu_jet(jet: Jet) -> Jet:
    """silu and its derivatives along a function: s, s' a', s'' a'^2 + s' a''."""
    found: Jet = _SiluJet.apply(jet)
    return found


class _SiluJet(torch.autograd.Function):
    """`_silu_jet` with its derivative written out, which takes a third of autograd's time."""

    @staticmethod
    def forward(ctx: Any, jet: Jet) -> Jet:
        ctx.save_for_backward(jet)
        value, first, second = _silu(jet[0])
        slope = jet[1]
        found = torch.empty_like(jet)
        torch.mul(jet[0], value, out=found[0])
        torch.mul(first, slope, out=found[1])
        if len(jet) == 3:
            torch.addcmul(second * slope.square(), first, jet[2], out=found[2])
        return found

    @staticmethod
    def backward(ctx: Any, cotangent: Jet) -> Jet:
        (jet,) = ctx.saved_tensors
        gate, first, second = _silu(jet[0])
        slope, (g0, g1) = jet[1], cotangent[:2]
        to_value, to_slope = first * g0 + second * slope * g1, first * g1
        if len(jet) == 2:
            return torch.stack([to_value, to_slope])
        g2, bend = cotangent[2], second * slope
        bell, tilt = gate * (1.0 - gate), 1.0 - 2.0 * gate
        third = tilt * second + bell * (tilt - 2.0 * jet[0] * bell)
        to_value = to_value + (third * slope.square() + second * jet[2]) * g2
        return torch.stack([to_value, to_slope + 2.0 * bend * g2, first * g2])


def _silu(value: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(sigmoid, silu', silu'')."""
    gate = torch.sigmoid(value)
    rest = 1.0 - gate
    bell = gate * rest
    return gate, torch.addcmul(gate, value, bell), bell * (2.0 + value * (rest - gate))
