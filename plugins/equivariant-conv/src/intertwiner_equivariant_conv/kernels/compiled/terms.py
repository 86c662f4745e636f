"""The constants of a path table as the generators want them: zeros out, equal values once.

For one edge, M_ik = sum_j sqrt(2 l3 + 1) Q_ijk Y_j takes feature row i to output row k. Many M_ik
are equal up to sign, so that a table has fewer distinct `Entry`s than pairs (i, k).
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

from intertwiner_equivariant_conv.layers.coupling import wigner_3j
from intertwiner_equivariant_conv.layers.paths import Path, PathTable

__all__ = ["Entry", "Pair", "Term", "entries", "groups", "pairs", "terms"]

Entry = tuple[tuple[int, float], ...]
"""sum of value * Y[row] over (row, value); the first value is positive."""


@dataclass(frozen=True, slots=True)
class Term:
    """One constant that is not zero: rows of the features, the harmonics, and the output."""

    row_in: int
    row_edge: int
    row_out: int
    value: float


@dataclass(frozen=True, slots=True)
class Pair:
    """M_ik = sign * entry number `entry` of the table."""

    row_in: int
    row_out: int
    sign: int
    entry: int


@functools.cache
def terms(path: Path) -> tuple[Term, ...]:
    """Constants sqrt(2 l3 + 1) Q_ijk of one path, without zeros, j fastest then i."""
    block = math.sqrt(2 * path.l3 + 1) * wigner_3j(path.l1, path.l2, path.l3)
    return tuple(
        Term(path.l1**2 + i, path.l2**2 + j, path.offset + k, float(block[i, j, k]))
        for k in range(2 * path.l3 + 1)
        for i in range(2 * path.l1 + 1)
        for j in range(2 * path.l2 + 1)
        if abs(float(block[i, j, k])) > 1e-12
    )


def _entry(path: Path, row_in: int, row_out: int) -> tuple[int, Entry] | None:
    """(sign, entry) of M_ik; values are rounded so that equal ones are found equal."""
    found = [
        (term.row_edge, term.value)
        for term in terms(path)
        if (term.row_in, term.row_out) == (row_in, row_out)
    ]
    if not found:
        return None
    sign = 1 if found[0][1] > 0 else -1
    return sign, tuple((row, round(sign * value, 15)) for row, value in found)


@functools.cache
def entries(table: PathTable) -> tuple[Entry, ...]:
    """The distinct M_ik of a table."""
    seen: dict[Entry, None] = {}
    for path in table.paths:
        for term in terms(path):
            found = _entry(path, term.row_in, term.row_out)
            if found is not None:
                seen[found[1]] = None
    return tuple(seen)


@functools.cache
def pairs(table: PathTable, path: Path) -> tuple[Pair, ...]:
    """The M_ik of one path that are not zero, i fastest."""
    numbers = {entry: number for number, entry in enumerate(entries(table))}
    found = []
    for row_out in range(path.offset, path.offset + 2 * path.l3 + 1):
        for row_in in range(path.l1**2, (path.l1 + 1) ** 2):
            signed = _entry(path, row_in, row_out)
            if signed is not None:
                found.append(Pair(row_in, row_out, signed[0], numbers[signed[1]]))
    return tuple(found)


def groups(
    table: PathTable, accumulators: int, *, whole: bool = False
) -> tuple[tuple[Path, ...], ...]:
    """The paths in parts whose output rows fit `accumulators` registers, in order.

    A part ends with an order l1 of the features where it can, so that their rows are read once.
    whole: the paths of one l1 stay together even if they do not fit.
    """
    parts: list[list[Path]] = []
    used = 0
    for path in table.paths:
        own = sum(2 * other.l3 + 1 for other in table.paths if other.l1 == path.l1)
        begins = not parts or parts[-1][-1].l1 != path.l1
        full = used + (own if begins else 2 * path.l3 + 1) > accumulators
        if not parts or (full and (begins or not whole)):
            parts.append([])
            used = 0
        parts[-1].append(path)
        used += 2 * path.l3 + 1
    return tuple(tuple(part) for part in parts)
