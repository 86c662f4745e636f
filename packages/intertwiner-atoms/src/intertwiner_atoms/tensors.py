"""Symmetric 3x3 tensors as irreducible parts, in e3nn's basis and order.

A symmetric tensor is `a I + T` with `a` a third of its trace and T traceless. In the basis where
a vector's components are (x, y, z), the five numbers of T are

    c = (sqrt2 Txz, sqrt2 Txy, sqrt(3/2) Tyy, sqrt2 Tyz, (Tzz - Txx) / sqrt2),

so that the squares of c add up to the squares of all nine entries of T, and rotating the
molecule rotates c by the Wigner matrix of order 2.
"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

__all__ = ["irreps_from_six", "six_from_irreps"]

Array = NDArray[np.float64]


def irreps_from_six(six: Float[Array, "*batch 6"]) -> Float[Array, "*batch 6"]:
    """(xx, xy, yy, xz, yz, zz) as (a, c1 ... c5): `Irreps("1x0e+1x2e")`."""
    xx, xy, yy, xz, yz, zz = np.moveaxis(np.asarray(six, dtype=np.float64), -1, 0)
    mean = (xx + yy + zz) / 3
    root = math.sqrt(2)
    parts = (mean, root * xz, root * xy, math.sqrt(1.5) * (yy - mean), root * yz, (zz - xx) / root)
    return np.stack(parts, axis=-1)


def six_from_irreps(irreps: Float[Array, "*batch 6"]) -> Float[Array, "*batch 6"]:
    """The inverse of `irreps_from_six`."""
    mean, xz, xy, yy, yz, difference = np.moveaxis(np.asarray(irreps, dtype=np.float64), -1, 0)
    root = math.sqrt(2)
    middle = yy / math.sqrt(1.5)
    xx = mean - middle / 2 - difference / root
    zz = mean - middle / 2 + difference / root
    return np.stack((xx, xy / root, mean + middle, xz / root, yz / root, zz), axis=-1)
