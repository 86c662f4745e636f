"""DW4 by numerical quadrature: ln Z, <U>, the density of pair distances, exact to 1e-8.

Particles 1 and 2 are put at (-+r/2, 0). With w(d) = exp(-u(d)) and phi_r(y) = w(|y - x1|)
w(|y - x2|), the other two particles integrate to

    G(r) = integral of phi_r(y) w(|y - y'|) phi_r(y') over y and y',

a convolution on a grid, done by FFT; then Z = (1/4) integral of 2 pi r w(r) G(r) dr, where 1/4
carries coordinates relative to one particle over to the subspace of zero mean (N^(-D/2)). Since
all pairs are alike, <U> = 6 <u(r)>.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["Quadrature", "double_well_pair", "integrate", "pair_distance_density", "short_counts"]

Array = NDArray[np.float64]
_HALF_WIDTH: Final = 8.4
_PANELS: Final = (0.0, 4.0, 7.6)
_PAIRS: Final = 6


@dataclass(frozen=True, slots=True)
class Quadrature:
    """ln Z and <U> of four particles in the plane."""

    log_z: float
    mean_energy: float


def double_well_pair(distance: Array) -> Array:
    """u(d) = 0.9 (d - 4)^4 - 4 (d - 4)^2."""
    shift = np.square(distance - 4.0)
    energy: Array = shift * (0.9 * shift - 4.0)
    return energy


def integrate(
    pair: Callable[[Array], Array] = double_well_pair, *, spacing: float = 0.08, nodes: int = 60
) -> Quadrature:
    """ln Z and <U> for the pair energy `pair(distances)`.

    spacing: of the grid. nodes: of Gauss and Legendre's rule on [0, 4] and on [4, 7.6].
    """
    distance, weight = _nodes(nodes)
    density = weight * _weighted(distance, lambda d: np.exp(-pair(d)), spacing)
    total = float(density.sum())
    mean = float((density * pair(distance)).sum()) / total
    return Quadrature(float(np.log(total)), _PAIRS * mean)


def pair_distance_density(distance: Array, *, spacing: float = 0.08) -> Array:
    """The probability density of the distance of a pair at `distance`."""
    nodes, weight = _nodes(60)
    total = float((weight * _weighted(nodes, _boltzmann, spacing)).sum())
    density: Array = _weighted(distance, _boltzmann, spacing) / total
    return density


def short_counts(*, spacing: float = 0.08) -> Array:
    """The probabilities of 0, 1, ... 6 pairs with d < 4.

    With w multiplied by s for d < 4, Z becomes a polynomial in s whose coefficients they are.
    """
    distance, weight = _nodes(60)
    scales = 1.0 + 0.7 * np.cos(np.pi * (np.arange(_PAIRS + 1) + 0.5) / (_PAIRS + 1))

    def total(scale: float) -> float:
        def factor(d: Array) -> Array:
            scaled: Array = _boltzmann(d) * np.where(d < 4.0, scale, 1.0)
            return scaled

        return float((weight * _weighted(distance, factor, spacing)).sum())

    totals = np.array([total(scale) for scale in scales])
    coefficients = np.linalg.solve(np.vander(scales, increasing=True), totals)
    found: Array = coefficients / coefficients.sum()
    return found


def _boltzmann(distance: Array) -> Array:
    weight: Array = np.exp(-double_well_pair(distance))
    return weight


def _nodes(count: int) -> tuple[Array, Array]:
    """Places and weights of the composite rule."""
    place, weight = np.polynomial.legendre.leggauss(count)
    widths = [(lower, (upper - lower) / 2) for lower, upper in pairwise(_PANELS)]
    places = np.concatenate([lower + half * (1.0 + place) for lower, half in widths])
    weights = np.concatenate([half * weight for _, half in widths])
    return places, weights


def _weighted(distance: Array, factor: Callable[[Array], Array], spacing: float) -> Array:
    """(1/4) 2 pi r w(r) G(r) at every r of `distance`."""
    count = round(2 * _HALF_WIDTH / spacing) + 1
    axis: Array = spacing * (np.arange(count, dtype=np.float64) - (count - 1) / 2)
    padded = 2 * count
    wrapped = spacing * np.minimum(np.arange(padded), padded - np.arange(padded))
    kernel = _spectrum(factor(np.hypot(wrapped[:, None], wrapped[None, :])))
    values = [_pair_integral(float(r), axis, factor, kernel, padded) for r in distance]
    found: Array = 0.5 * np.pi * distance * factor(distance) * np.array(values) * spacing**4
    return found


def _pair_integral(
    r: float, axis: Array, factor: Callable[[Array], Array], kernel: Array, padded: int
) -> float:
    """G(r) without the volume h^4 of a grid point pair."""
    left = factor(np.hypot(axis[:, None] + r / 2, axis[None, :]))
    phi = left * left[::-1]
    spectrum = np.fft.rfft2(phi, (padded, padded))
    seen = np.fft.irfft2(spectrum * kernel, (padded, padded))[: len(axis), : len(axis)]
    return float((phi * seen).sum())


def _spectrum(even: Array) -> Array:
    """The Fourier transform of an even function: it is real."""
    return np.real(np.fft.rfft2(even)).astype(np.float64)
