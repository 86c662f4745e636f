"""The true energy of the generated pockets: a Morse well for every pair of elements.

    U(r) = eps (e^{-2 alpha (r - r0)} - 2 e^{-alpha (r - r0)}) (1 + cos(pi r / 7)) / 2,  r < 7

in kcal/mol, r in angstrom. pK = -U / (RT ln 10).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["ELEMENTS", "RANGE", "pair_energy", "total_energy"]

ELEMENTS: Final = (6, 7, 8, 16)
RANGE: Final = 7.0
"""angstrom."""

_DEPTH = np.array(
    [
        [0.06, 0.03, 0.03, 0.10],
        [0.03, 0.15, 0.90, 0.25],
        [0.03, 0.90, 0.35, 0.30],
        [0.10, 0.25, 0.30, 0.20],
    ]
)
_PLACE = np.array(
    [[4.0, 3.7, 3.6, 3.9], [3.7, 3.1, 2.9, 3.5], [3.6, 2.9, 2.9, 3.4], [3.9, 3.5, 3.4, 3.9]]
)
_STEEPNESS = np.array(
    [[1.2, 1.2, 1.2, 1.2], [1.2, 1.5, 2.0, 1.3], [1.2, 2.0, 1.5, 1.3], [1.2, 1.3, 1.3, 1.2]]
)

Points = NDArray[np.float64]
Numbers = NDArray[np.int64]


def pair_energy(distance: Points, first: Numbers, second: Numbers) -> Points:
    """U in kcal/mol of pairs of elements (places in `ELEMENTS`) at distances in angstrom."""
    depth, place, steepness = (table[first, second] for table in (_DEPTH, _PLACE, _STEEPNESS))
    wave = np.exp(-steepness * (distance - place))
    ends = 0.5 * (1 + np.cos(np.pi * np.minimum(distance, RANGE) / RANGE))
    energy: Points = depth * (wave * wave - 2 * wave) * ends
    return energy


def total_energy(x: Points, kind: Numbers, part: Numbers) -> float:
    """Sum over pairs across the two parts, kcal/mol. x [n, 3]; kind [n] places in `ELEMENTS`."""
    ligand, pocket = part == 1, part == 0
    distance = np.sqrt(((x[ligand][:, None] - x[pocket][None]) ** 2).sum(-1))
    pairs = kind[ligand][:, None], kind[pocket][None]
    energy = pair_energy(distance, *np.broadcast_arrays(*pairs))
    return float(energy[distance < RANGE].sum())
