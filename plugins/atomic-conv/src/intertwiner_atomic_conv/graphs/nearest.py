"""The M nearest atoms, in an order that does not depend on how atoms are numbered.

Distances are taken in float64. Ties are broken by atomic number, then index: with elements first,
features do not depend on the numbering even where distances are exactly equal. SciPy's k-d tree
finds the candidates when it is installed, all pairs otherwise, with the same result.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Nearest", "SearchTree", "closest_squares", "nearest", "sheltered"]

Points = NDArray[np.float64]
Numbers = NDArray[np.int64]

HAS_SCIPY = importlib.util.find_spec("scipy") is not None
CHUNK = 256
PAIRS = 1 << 20
"""So many distances are taken at once."""
SHELTER = 14.0
"""Angstrom^3, the cube of a radius, for every atom looked for: three times as many are in it."""
CLOSE = 1e-9
"""Squared distances that differ by less, relatively, are compared again exactly."""


@dataclass(frozen=True, slots=True)
class Nearest:
    """Rows of neighbours, nearest first: `atom` [rows, M] is -1 and `square` inf where none is.

    square: squared distance, angstrom^2.
    """

    atom: Numbers
    square: Points


class SearchTree:
    """Points that can be asked for the nearest of them."""

    def __init__(self, points: Points) -> None:
        self.points = points
        self._tree: Any = None
        if HAS_SCIPY and len(points):
            from scipy.spatial import cKDTree

            self._tree = cKDTree(points)

    def candidates(self, places: Points, count: int, reach: float) -> Numbers:
        """[places, count] numbers of the nearest points, in any order; len(points) pads."""
        total = len(self.points)
        if not total or not len(places):
            return np.full((len(places), count), total, dtype=np.int64)
        if self._tree is not None:
            bound = reach * (1 + CLOSE)
            found = self._tree.query(places, k=range(1, count + 1), distance_upper_bound=bound)[1]
            return np.asarray(found, dtype=np.int64)
        chunks = [places[first : first + CHUNK] for first in range(0, len(places), CHUNK)]
        return np.concatenate([self._dense(chunk, min(count, total)) for chunk in chunks])

    def at_least(self, places: Points, count: int, radius: float) -> NDArray[np.bool_]:
        """Which places surely have `count` points nearer than `radius`; none without SciPy."""
        if self._tree is None:
            return np.zeros(len(places), dtype=bool)
        inside = self._tree.query_ball_point(places, radius * (1 - CLOSE), return_length=True)
        enough: NDArray[np.bool_] = inside >= count
        return enough

    def _dense(self, places: Points, count: int) -> Numbers:
        square = ((places[:, None] - self.points[None]) ** 2).sum(-1)
        return np.argpartition(square, count - 1, axis=1)[:, :count].astype(np.int64)


def nearest(
    x: Points,
    z: Numbers,
    members: Numbers,
    queries: Numbers,
    count: int,
    reach: float,
    tree: SearchTree | None = None,
) -> Nearest:
    """For each atom of `queries` the `count` nearest of `members` nearer than `reach`, not itself.

    x: positions of all atoms, angstrom. tree: of `x[members]`, where it is at hand.
    """
    tree = tree or SearchTree(x[members])
    width = min(count + 2, len(members))
    found = tree.candidates(x[queries], width, reach)
    padded = np.append(members, -1)
    rows = _sorted(x, z, padded[found], queries, count, reach)
    again = _undecided(x, padded[found], queries, rows, len(members), reach)
    if len(again):
        every = np.broadcast_to(members, (len(again), len(members)))
        exact = _sorted(x, z, every, queries[again], count, reach)
        rows.atom[again], rows.square[again] = exact.atom, exact.square
    return rows


def closest_squares(places: Points, points: Points, tree: SearchTree, reach: float) -> Points:
    """The squared distance of every place to the nearest point (angstrom^2), inf where there is
    none nearer than `reach`."""
    if len(places) * len(points) > PAIRS:
        index = tree.candidates(places, 1, reach)[:, 0]
        far = np.full((1, 3), np.inf)
        square: Points = ((places - np.concatenate([points, far])[index]) ** 2).sum(-1)
    else:
        square = _axis_squares(places, points).min(1, initial=np.inf)
    return np.where(square < reach * reach, square, np.inf)


def _axis_squares(places: Points, points: Points) -> Points:
    """[places, points] squared distances, rounded as those of `_squares`."""
    square = np.zeros((len(places), len(points)))
    for axis in range(3):
        square += (places[:, None, axis] - points[None, :, axis]) ** 2
    return square


def sheltered(places: Points, closest: Points, tree: SearchTree, count: int) -> NDArray[np.bool_]:
    """Atoms of the tree that surely have `count` others nearer than the point at squared distance
    `closest`; others may have them too. Quicker than to list their neighbours."""
    radius = (SHELTER * count) ** (1 / 3)
    far = np.flatnonzero(closest > radius * radius)
    found = np.zeros(len(places), dtype=bool)
    found[far] = tree.at_least(places[far], count + 1, radius)
    return found


def _squares(x: Points, atom: Numbers, queries: Numbers) -> Points:
    square: Points = ((x[atom] - x[queries][:, None]) ** 2).sum(-1)
    square[(atom < 0) | (atom == queries[:, None])] = np.inf
    return square


def _sorted(
    x: Points, z: Numbers, atom: Numbers, queries: Numbers, count: int, reach: float
) -> Nearest:
    """The first `count` of every row by (squared distance, atomic number, index)."""
    square = _squares(x, atom, queries)
    square[square >= reach * reach] = np.inf
    order = np.lexsort((atom, z[atom], square), axis=1)[:, :count]
    atom, square = np.take_along_axis(atom, order, 1), np.take_along_axis(square, order, 1)
    atom = np.where(np.isfinite(square), atom, -1)
    missing = count - atom.shape[1]
    if missing > 0:
        atom = np.pad(atom, ((0, 0), (0, missing)), constant_values=-1)
        square = np.pad(square, ((0, 0), (0, missing)), constant_values=np.inf)
    return Nearest(atom, square)


def _undecided(
    x: Points, atom: Numbers, queries: Numbers, rows: Nearest, total: int, reach: float
) -> Numbers:
    """Rows whose last place is tied with the last candidate: another may tie with it too."""
    if atom.shape[1] >= total:
        return np.zeros(0, dtype=np.int64)
    seen = _squares(x, atom, queries)
    full = (atom >= 0).all(1)
    farthest = np.where(np.isfinite(seen), seen, -np.inf).max(1)
    tied = farthest <= np.minimum(rows.square[:, -1], reach * reach) * (1 + CLOSE)
    return np.flatnonzero(full & tied)
