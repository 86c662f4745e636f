"""Alternate places of atoms: of each atom one is kept, of one conformer wherever there is one."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from jaxtyping import Bool
from numpy.typing import NDArray

from intertwiner_atoms.readers.sites import Sites

__all__ = ["main_conformer"]


def main_conformer(sites: Sites) -> Bool[NDArray[np.bool_], " atoms"]:
    """Which atoms are kept when every residue has one conformer.

    Of a residue that has alternate places those of the letter with most occupancy, the first such
    letter of the file; an atom that has no place of that letter keeps its most occupied one. Where
    letters stand for different residues, only that of the chosen letter is kept.
    """
    kept = np.ones(len(sites), dtype=bool)
    alternate = sites.altloc != 0
    if not alternate.any():
        return kept
    for residue in np.unique(sites.residue[alternate]).tolist():
        start, stop = np.searchsorted(sites.residue, [residue, residue + 1])
        rows = np.arange(start, stop)
        rows = rows[alternate[rows]]
        kept[rows] = False
        kept[_chosen(sites, rows.tolist())] = True
    return kept


def _chosen(sites: Sites, rows: list[int]) -> list[int]:
    """Of the rows of one residue that have a letter, one for each atom."""
    occupancy = dict(zip(rows, sites.occupancy[rows].tolist(), strict=True))
    letters = dict(zip(rows, sites.altloc[rows].tolist(), strict=True))
    weight: dict[int, float] = defaultdict(float)
    for row in rows:
        weight[letters[row]] += occupancy[row]
    letter = max(weight, key=lambda each: weight[each])
    kind = next(sites.residue_name[row] for row in rows if letters[row] == letter)
    best: dict[bytes, int] = {}
    for row in rows:
        if sites.residue_name[row] == kind:
            name = bytes(sites.name[row])
            rank = (letters[row] == letter, occupancy[row])
            known = best.setdefault(name, row)
            if rank > (letters[known] == letter, occupancy[known]):
                best[name] = row
    return list(best.values())
