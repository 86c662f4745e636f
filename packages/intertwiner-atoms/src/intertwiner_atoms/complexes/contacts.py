"""Which atoms of a receptor a ligand touches, and what that says of both files."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray

__all__ = ["Contacts", "contacts", "nearest_distance", "typical_distance"]

Places = Float[NDArray[np.float64], "atoms 3"]


@dataclass(frozen=True)
class Contacts:
    """Squared distances between a ligand and the receptor's atoms around it.

    rows: receptor atoms inside the ligand's box widened by the reach. squared: angstrom^2.
    """

    rows: Int[NDArray[np.int64], " near"]
    squared: Float[NDArray[np.float64], "ligand near"]

    def rows_within(self, distance: float) -> Int[NDArray[np.int64], " rows"]:
        """Receptor atoms with a ligand atom nearer than `distance`, in angstrom."""
        return self.rows[(self.squared < distance**2).any(axis=0)]

    def only(self, kept: Bool[NDArray[np.bool_], " atoms"]) -> Contacts:
        """The contacts with the receptor atoms of a mask."""
        chosen = kept[self.rows]
        return Contacts(self.rows[chosen], self.squared[:, chosen])

    @property
    def nearest(self) -> float:
        """The shortest distance, infinity when no atom is in reach."""
        return float(np.sqrt(self.squared.min())) if self.squared.size else float("inf")


def contacts(ligand: Places, receptor: Places, reach: float) -> Contacts:
    """All pairs of a ligand atom and a receptor atom nearer than `reach`, and some farther ones."""
    low, high = ligand.min(axis=0) - reach, ligand.max(axis=0) + reach
    rows = np.flatnonzero(((receptor >= low) & (receptor <= high)).all(axis=1))
    return Contacts(rows, squared_distances(ligand, receptor[rows]))


def squared_distances(first: Places, second: Places) -> Float[NDArray[np.float64], "first second"]:
    """|a - b|^2 of every pair, as |a|^2 + |b|^2 - 2 a.b about the mean of `first`."""
    centre = first.mean(axis=0)
    a, b = first - centre, second - centre
    squared = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * a @ b.T
    found: NDArray[np.float64] = np.maximum(squared, 0.0)
    return found


def nearest_distance(first: Places, second: Places, chunk: int = 4096) -> float:
    """The shortest distance between two sets of atoms, in bounded memory."""
    parts = (second[start : start + chunk] for start in range(0, len(second), chunk))
    return float(np.sqrt(min(squared_distances(first, part).min() for part in parts)))


def typical_distance(pos: Places, atoms: int = 64) -> float:
    """The median distance from an atom to the nearest other one, among the first `atoms`."""
    some = pos[:atoms]
    squared = squared_distances(some, some)
    np.fill_diagonal(squared, np.inf)
    return float(np.sqrt(np.median(squared.min(axis=1))))
