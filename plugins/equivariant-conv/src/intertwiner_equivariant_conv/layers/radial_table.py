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
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from intertwiner_equivariant_conv.kernels import radial as compiled
from intertwiner_equivariant_conv.layers.hermite import HERMITE, STEEPEST
from intertwiner_equivariant_conv.layers.radial import SILU_SCALE, RadialBasis, RadialNetwork

__all__ = ["EdgeDistances", "Placement", "build_table", "place", "table_error"]

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
    library = compiled.load_library(distance.device, distance.dtype)
    if library is None:
        t, row, occupied = _plain_places(distance, cutoff, knots, compact)
        return Placement(_powers(t, degree), row, occupied, knots)
    found, row, occupied = compiled.find_places(
        library, distance, cutoff, knots, degree, compact=compact
    )
    if distance.requires_grad and torch.is_grad_enabled():
        found = _powers(_Fraction.apply(distance, found, (knots - 1) / cutoff), degree, found)
    return Placement(found, row, occupied, knots)


def _plain_places(
    distance: Tensor, cutoff: float, knots: int, compact: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """(t, row, occupied), see `place`."""
    scaled = (distance.double() * ((knots - 1) / cutoff)).clamp(max=knots - 1)
    interval = scaled.detach().floor().long().clamp(0, knots - 1)
    t = (scaled - interval).to(distance.dtype)
    if not compact:
        return t, interval, torch.arange(knots - 1, device=distance.device)
    present = torch.bincount(interval, minlength=knots)[:-1] > 0
    occupied = present.nonzero().squeeze(1)
    number = torch.nn.functional.pad(present.cumsum(0) - 1, (0, 1), value=len(occupied))
    return t, number[interval], occupied


class _Fraction(torch.autograd.Function):
    """t of a distance where it is known already, in the powers of it."""

    @staticmethod
    def forward(ctx: Any, distance: Tensor, powers: Tensor, scale: float) -> Tensor:
        ctx.scale = scale
        return powers[:, 1].clone()

    @staticmethod
    def backward(ctx: Any, cotangent: Tensor) -> tuple[Tensor, None, None]:
        return cotangent * ctx.scale, None, None


def _powers(
    t: Float[Tensor, " edges"], degree: int, known: Tensor | None = None
) -> Float[Tensor, "edges degree+1"]:
    """1, t, t^2, ..."""
    found: Tensor = _Powers.apply(t, degree, known)
    return found


class _Powers(torch.autograd.Function):
    """`_powers` written in place, or `known`, and its derivative by Horner's rule."""

    @staticmethod
    def forward(ctx: Any, t: Tensor, degree: int, known: Tensor | None) -> Tensor:
        ctx.save_for_backward(t)
        if known is not None:
            return known.view_as(known)
        found = t.new_empty(len(t), degree + 1)
        found[:, 0] = 1.0
        for power in range(1, degree + 1):
            torch.mul(found[:, power - 1], t, out=found[:, power])
        return found

    @staticmethod
    def backward(ctx: Any, cotangent: Tensor) -> tuple[Tensor, None, None]:
        (t,) = ctx.saved_tensors
        degree = cotangent.shape[1] - 1
        total = degree * cotangent[:, degree]
        for power in range(degree - 1, 0, -1):
            total = torch.addcmul(power * cotangent[:, power], total, t)
        return total, None, None


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
    weights = tuple(network.weights)
    last = weights[-1]
    if occupied is None:
        occupied = torch.arange(knots - 1, device=last.device)
    gains = _gains(*map(len, weights))

    def plain(weights: Sequence[Tensor]) -> Tensor:
        *hidden, last = weights
        jet = _hidden_jet(hidden, gains, _knot_jet(basis, knots, degree, last.device))
        rows = _plain_rows(jet, occupied, degree, gains[-1]).to(last.dtype)
        return (rows.flatten(0, 1) @ last).view(len(rows), degree + 1, -1)

    library = compiled.load_library(last.device, last.dtype)
    if library is None:
        return plain(weights)
    at_knots = _unscaled_jet(basis.number, basis.cutoff, knots, (degree + 1) // 2, 0.0)
    scaled = (gains[0] * float(basis.scale), *gains[1:])
    return compiled.build(
        compiled.Knots(library, at_knots, occupied, degree, scaled, plain), weights
    )


def _plain_rows(jet: Jet, occupied: Tensor, degree: int, gain: float) -> Tensor:
    ends = torch.cat([jet.index_select(1, occupied), jet.index_select(1, occupied + 1)]).flatten(1)
    found = (_hermite(degree, ends.device) @ (ends * gain)).view(degree + 1, -1, jet.shape[2])
    return torch.nn.functional.pad(found.transpose(0, 1), (0, 0, 0, 0, 0, 1))


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
    *hidden, last = network.weights
    last = last.double()
    gains = _gains(*map(len, network.weights))
    jet = _hidden_jet(hidden, gains, _knot_jet(basis, knots, degree, last.device))
    ends = torch.cat([jet[:, :-1], jet[:, 1:]]).flatten(1)
    powers = [q**order * t ** max(q - order, 0) for q in range(degree + 1)]
    row = torch.tensor(powers, dtype=torch.float64, device=last.device)
    found = (row @ _hermite(degree, last.device) @ ends).view(knots - 1, -1)
    between = _knot_jet(basis, knots, degree, last.device, t)
    exact = _hidden_jet(hidden, gains, between)[order]
    size = (exact @ last).square().mean().sqrt().clamp(min=torch.finfo(torch.float64).tiny)
    return float(((found - exact) @ last).abs().max() / size)


@functools.cache
def _hermite(degree: int, device: torch.device) -> Float[Tensor, "powers ends"]:
    return torch.tensor(HERMITE[degree], dtype=torch.float64, device=device)


@functools.cache
def _gains(*fan_in: int) -> tuple[float, ...]:
    """The factor of every layer's weights, see `RadialNetwork`."""
    return tuple(
        (SILU_SCALE if layer else 1.0) / math.sqrt(width) for layer, width in enumerate(fan_in)
    )


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


def _hidden_jet(hidden: Sequence[Tensor], gains: Sequence[float], jet: Jet) -> Jet:
    """The last hidden vector with its derivatives, in double precision."""
    for weight, gain in zip(hidden, gains, strict=False):
        product = jet.flatten(0, 1) @ (weight.double() * gain)
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
