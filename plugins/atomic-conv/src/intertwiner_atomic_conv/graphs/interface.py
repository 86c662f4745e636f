"""What binding changes: the atoms whose list of neighbours holds an atom of another part.

For an atom whose list in the complex holds atoms of its own part alone, the list in the part by
itself is the same, its features are equal, and its two energies cancel exactly. So only the
others are kept, each with edges of three kinds:

    COMMON      in both lists          x_complex  = sum over COMMON and CROSS
    CROSS       in the complex only    x_fragment = sum over COMMON and DISPLACED
    DISPLACED   in the part only, pushed out by nearer atoms of other parts

The list in the complex is the merge of two short lists, those of the nearest atoms of the own and
of the other parts; the survivors of the own list are a prefix of it, because both lists use one
order (`graphs.nearest`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from intertwiner_atomic_conv.errors import InvalidInput, InvalidSetting
from intertwiner_atomic_conv.graphs.nearest import (
    Nearest,
    SearchTree,
    closest_squares,
    nearest,
    sheltered,
)

__all__ = ["COMMON", "CROSS", "DISPLACED", "Graph", "InterfaceGraph", "Reach", "interface_graph"]

Points = NDArray[np.float64]
Numbers = NDArray[np.int64]
Graph = Literal["knn", "cutoff", "cross"]

COMMON, CROSS, DISPLACED = 0, 1, 2
CHUNK = 512


@dataclass(frozen=True, slots=True)
class Reach:
    """Which neighbours count. knn: `neighbors` nearest of any part within `across` angstrom;
    cutoff: other parts within `across` and the own within `within`; cross: other parts alone.
    """

    graph: Graph = "knn"
    neighbors: int = 12
    across: float = 12.0
    within: float = 5.0

    def __post_init__(self) -> None:
        if self.neighbors < 1:
            raise InvalidSetting(f"neighbors = {self.neighbors}: must be 1 or more")
        for name, value in (("reach", self.across), ("reach_within", self.within)):
            if not value > 0:
                raise InvalidSetting(f"{name} = {value}: must be above 0 angstrom")

    @property
    def limits(self) -> tuple[float, float]:
        """Where edges to the own and to other parts end, angstrom."""
        return (self.within if self.graph == "cutoff" else self.across), self.across


@dataclass(frozen=True, slots=True)
class InterfaceGraph:
    """The changed atoms of one complex and their edges.

    atom [nodes]: which atoms. Edges: node [edges], neighbor [edges] (an atom), kind [edges],
    square [edges]: squared distance, angstrom^2.
    """

    atom: Numbers
    node: Numbers
    neighbor: Numbers
    kind: Numbers
    square: Points


def interface_graph(x: Points, z: Numbers, part: Numbers, reach: Reach) -> InterfaceGraph:
    """The changed atoms of a complex.

    x [n, 3] positions in angstrom, z [n] atomic numbers, part [n] which part an atom belongs to.
    Raises `InvalidInput` for a position that is not finite.
    """
    finite = np.isfinite(x).all(1)
    if not finite.all():
        atom = int(np.argmin(finite))
        raise InvalidInput(f"atom {atom}: position {x[atom].tolist()} is not finite")
    build = _merged if reach.graph == "knn" else _within_reach
    pieces = [build(x, z, own, foreign, reach) for own, foreign in _sides(part)]
    return _join(pieces)


def _sides(part: Numbers) -> Iterator[tuple[Numbers, Numbers]]:
    """(atoms of a part, all other atoms) for each part."""
    for label in np.unique(part):
        mine = part == label
        if not mine.all():
            yield np.flatnonzero(mine), np.flatnonzero(~mine)


def _join(pieces: list[InterfaceGraph]) -> InterfaceGraph:
    if not pieces:
        none = np.zeros(0, dtype=np.int64)
        return InterfaceGraph(none, none, none, none, np.zeros(0))
    first = np.cumsum([0, *(len(piece.atom) for piece in pieces)])
    return InterfaceGraph(
        np.concatenate([piece.atom for piece in pieces]),
        np.concatenate([piece.node + start for piece, start in zip(pieces, first, strict=False)]),
        np.concatenate([piece.neighbor for piece in pieces]),
        np.concatenate([piece.kind for piece in pieces]),
        np.concatenate([piece.square for piece in pieces]),
    )


def _merged(x: Points, z: Numbers, own: Numbers, foreign: Numbers, reach: Reach) -> InterfaceGraph:
    """The M nearest of the complex, from the M nearest of the own and of the other parts."""
    count, limit = reach.neighbors, reach.across
    trees = SearchTree(x[own]), SearchTree(x[foreign])
    closest = closest_squares(x[own], x[foreign], trees[1], limit)
    near = np.flatnonzero(closest < limit * limit)
    near = near[~sheltered(x[own[near]], closest[near], trees[0], count)]
    queries = own[near]
    mine = nearest(x, z, own, queries, count, limit, trees[0])
    reached = closest[near] <= mine.square[:, -1]
    mine = Nearest(mine.atom[reached], mine.square[reached])
    theirs = nearest(x, z, foreign, queries[reached], count, limit, trees[1])
    return _merge(z, queries[reached], mine, theirs)


def _merge(z: Numbers, queries: Numbers, mine: Nearest, theirs: Nearest) -> InterfaceGraph:
    count = mine.atom.shape[1]
    atom = np.concatenate([mine.atom, theirs.atom], 1)
    square = np.concatenate([mine.square, theirs.square], 1)
    order = np.lexsort((atom, z[atom], square), axis=1)
    atom, square = np.take_along_axis(atom, order, 1), np.take_along_axis(square, order, 1)
    foreign, kept = order >= count, np.arange(2 * count) < count
    exists = atom >= 0
    changed = (foreign & kept & exists).any(1)
    kind = np.where(foreign, CROSS, np.where(kept, COMMON, DISPLACED))
    used = exists & (kept | ~foreign) & changed[:, None]
    node = np.broadcast_to((np.cumsum(changed) - 1)[:, None], used.shape)
    return InterfaceGraph(queries[changed], node[used], atom[used], kind[used], square[used])


def _within_reach(
    x: Points, z: Numbers, own: Numbers, foreign: Numbers, reach: Reach
) -> InterfaceGraph:
    """All atoms of other parts nearer than `across`; of the own, nearer than `within`."""
    row, column, square = _pairs(x, own, foreign, reach.across)
    changed = np.unique(row)
    pieces = [(np.searchsorted(changed, row), foreign[column], CROSS, square)]
    if reach.graph == "cutoff":
        node, neighbor, distance = _pairs(x, own[changed], own, reach.within)
        other = own[changed][node] != own[neighbor]
        pieces.append((node[other], own[neighbor][other], COMMON, distance[other]))
    node, neighbor, square = (
        np.concatenate([piece[index] for piece in pieces]) for index in (0, 1, 3)
    )
    kind = np.concatenate([np.full(len(piece[0]), piece[2]) for piece in pieces])
    return InterfaceGraph(own[changed], node, neighbor, kind, square)


def _pairs(
    x: Points, rows: Numbers, columns: Numbers, limit: float
) -> tuple[Numbers, Numbers, Points]:
    """(row, column, squared distance) of every pair nearer than `limit`."""
    found = []
    for first in range(0, max(len(rows), 1), CHUNK):
        chosen = rows[first : first + CHUNK]
        square = ((x[chosen][:, None] - x[columns][None]) ** 2).sum(-1)
        row, column = np.nonzero(square < limit * limit)
        found.append((row + first, column, square[row, column]))
    row, column, square = (np.concatenate(part) for part in zip(*found, strict=True))
    return row, column, square
