"""Which series of complexes are of the same protein, from the residues around the ligand alone.

Two series are joined when the longest common subsequence of their residue names, divided by the
shorter length, is above 0.70 (single linkage). No sequence file and no list of names is needed,
so it works on a user's own data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Final

__all__ = ["NOT_PROTEIN", "THRESHOLD", "protein_groups", "similarity"]

THRESHOLD: Final = 0.70
NOT_PROTEIN: Final = frozenset(
    (
        *("HOH", "SPC", "WAT", "TIP", "ACE", "NMA", "NME", "NH2", "CA", "HG", "MG", "NA", "NI"),
        *("ZN", "CO3", "SO4", "PO4", "POP", "CL", "K", "MN", "FE", "GOL", "EDO", "FPP", "CAS"),
        "X01",
    )
)
"""Residues left out: waters, caps, ions, cofactors and what crystals are grown from."""


def similarity(first: Sequence[str], second: Sequence[str]) -> float:
    """Longest common subsequence over the shorter length, 0 to 1."""
    shorter = min(len(first), len(second))
    return _common(first, second) / shorter if shorter else 0.0


def _common(first: Sequence[str], second: Sequence[str]) -> int:
    """Length of the longest common subsequence, all rows of the table at once as bits."""
    places: dict[str, int] = {}
    for number, name in enumerate(first):
        places[name] = places.get(name, 0) | 1 << number
    full = (1 << len(first)) - 1
    row = full
    for name in second:
        met = row & places.get(name, 0)
        row = ((row + met) | (row - met)) & full
    return len(first) - row.bit_count()


def protein_groups(
    residues: Sequence[Sequence[str]],
    threshold: float = THRESHOLD,
    joined: Mapping[int, int] | None = None,
) -> list[int]:
    """The group of every series, numbered from 0 in order of first appearance.

    residues: residue names of one pocket of each series, in order. joined: series -> series that
    are of one protein whatever their residues say.
    """
    names = [[name for name in row if name not in NOT_PROTEIN] for row in residues]
    parent = list(range(len(names)))

    def root(series: int) -> int:
        while parent[series] != series:
            series = parent[series]
        return series

    for first, second in combinations(range(len(names)), 2):
        if root(first) != root(second) and similarity(names[first], names[second]) > threshold:
            parent[max(root(first), root(second))] = min(root(first), root(second))
    for first, second in (joined or {}).items():
        parent[max(root(first), root(second))] = min(root(first), root(second))
    number: dict[int, int] = {}
    return [number.setdefault(root(series), len(number)) for series in range(len(names))]
