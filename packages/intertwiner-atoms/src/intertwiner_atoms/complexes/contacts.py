"""Which atoms of a receptor a ligand touches, and what that says of both files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray

__all__ = ["Contacts", "contacts", "nearest_distance", "typical_distance"]

CLOSE: Final = 2.0
"""Angstrom; pairs of atoms that are nearer are kept one by one."""

CHUNK_PAIRS: Final = 1 << 21
"""So many pairs are compared at once: about 50 MB."""

Places = Float[NDArray[np.float64], "atoms 3"]


@dataclass(frozen=True)
class Contacts:
    """The receptor's atoms around a ligand, and the pairs of atoms that nearly touch.

    rows: receptor atoms inside the ligand's box widened by the reach. shortest: angstrom^2 to
    the nearest ligand atom. atoms, others, squared: the ligand atom, the receptor atom and the
    angstrom^2 between them of every pair nearer than `CLOSE`.
    """

    rows: Int[NDArray[np.int64], " near"]
    shortest: Float[NDArray[np.float64], " near"]
    atoms: Int[NDArray[np.int64], " pairs"]
    others: Int[NDArray[np.int64], " pairs"]
    squared: Float[NDArray[np.float64], " pairs"]

    def rows_within(self, distance: float) -> Int[NDArray[np.int64], " rows"]:
        """Receptor atoms with a ligand atom nearer than `distance`, in angstrom."""
        return self.rows[self.shortest < distance**2]

    def pairs_within(
        self, distance: float
    ) -> tuple[
        Int[NDArray[np.int64], " pairs"],
        Int[NDArray[np.int64], " pairs"],
        Float[NDArray[np.float64], " pairs"],
    ]:
        """(ligand atoms, receptor atoms, angstrom) of pairs nearer than `distance` <= `CLOSE`."""
        near = self.squared < distance**2
        return self.atoms[near], self.others[near], np.sqrt(self.squared[near])

    def only(self, kept: Bool[NDArray[np.bool_], " atoms"]) -> Contacts:
        """The contacts with the receptor atoms of a mask."""
        chosen, pairs = kept[self.rows], kept[self.others]
        return Contacts(
            self.rows[chosen],
            self.shortest[chosen],
            self.atoms[pairs],
            self.others[pairs],
            self.squared[pairs],
        )

    @property
    def nearest(self) -> float:
        """The shortest distance, infinity when no atom is in reach."""
        return float(np.sqrt(self.shortest.min())) if len(self.rows) else float("inf")


def contacts(
    ligand: Places, receptor: Float[NDArray[np.float64], "3 atoms"], reach: float
) -> Contacts:
    """The contacts of all receptor atoms nearer than `reach`, and of some farther ones."""
    low, high = ligand.min(axis=0) - reach, ligand.max(axis=0) + reach
    rows = np.flatnonzero((receptor[0] >= low[0]) & (receptor[0] <= high[0]))
    for axis in (1, 2):
        values = receptor[axis, rows]
        rows = rows[(values >= low[axis]) & (values <= high[axis])]
    chunk = max(1, CHUNK_PAIRS // len(ligand))
    starts = range(0, max(len(rows), 1), chunk)
    found = [_close(ligand, receptor, rows[start : start + chunk]) for start in starts]
    return Contacts(rows, *(np.concatenate(part) for part in zip(*found, strict=True)))


def _close(
    ligand: Places, receptor: NDArray[np.float64], rows: Int[NDArray[np.int64], " rows"]
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]:
    """(shortest of each row; atoms, others and squares of the close pairs)."""
    squared = squared_distances(ligand, receptor[:, rows].T)
    shortest = squared.min(axis=0)
    near = np.flatnonzero(shortest < CLOSE**2)
    some = squared[:, near]
    atoms, found = np.nonzero(some < CLOSE**2)
    return shortest, atoms, rows[near[found]], some[atoms, found]


def squared_distances(first: Places, second: Places) -> Float[NDArray[np.float64], "first second"]:
    """|a - b|^2 of every pair, as |a|^2 + |b|^2 - 2 a.b about the mean of `first`."""
    centre = first.mean(axis=0)
    a, b = first - centre, second - centre
    squared = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * a @ b.T
    found: NDArray[np.float64] = np.maximum(squared, 0.0)
    return found


def nearest_distance(first: Places, second: Places) -> float:
    """The shortest distance between two sets of atoms, in bounded memory."""
    chunk = max(1, CHUNK_PAIRS // len(first))
    parts = (second[start : start + chunk] for start in range(0, len(second), chunk))
    return float(np.sqrt(min(squared_distances(first, part).min() for part in parts)))


def typical_distance(pos: Places, atoms: int = 64) -> float:
    """The median distance from an atom to the nearest other one, among the first `atoms`.

    Infinity for fewer than four, of which nothing can be said.
    """
    some = pos[:atoms]
    if len(some) < 4:
        return float("inf")
    squared = squared_distances(some, some)
    np.fill_diagonal(squared, np.inf)
    return float(np.sqrt(np.median(squared.min(axis=1))))
