"""Which orders couple. No torch here.

A path (l1, l2, l3) takes features of order l1 and the harmonic of order l2 of an edge's direction
to a message of order l3 through the Clebsch-Gordan coefficients of the three. Paths are numbered
in nested loops over l1, l2, l3 ascending, which is the order of their radial weights; every path
owns its slot of the output (e3nn's `TensorProduct` in mode "uvu", "component" and "element"
normalisation); the constants are in `layers.coupling`.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

from intertwiner_equivariant_conv.errors import InvalidInput

__all__ = ["Path", "PathTable", "infer_paths", "path_table"]


@dataclass(frozen=True, slots=True)
class Path:
    """One coupling. `offset`: first row of its output among the output rows of all paths."""

    l1: int
    l2: int
    l3: int
    offset: int

    @property
    def rows(self) -> slice:
        return slice(self.offset, self.offset + 2 * self.l3 + 1)


@dataclass(frozen=True, slots=True)
class PathTable:
    """All paths from features up to order `lmax_in` and harmonics up to `lmax_edge`."""

    lmax_in: int
    lmax_edge: int
    parity: bool
    paths: tuple[Path, ...]

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def rows_in(self) -> int:
        return (self.lmax_in + 1) ** 2

    @property
    def rows_edge(self) -> int:
        return (self.lmax_edge + 1) ** 2

    @property
    def rows_out(self) -> int:
        return sum(2 * path.l3 + 1 for path in self.paths)

    def ending_in(self, order: int) -> tuple[Path, ...]:
        """The paths whose output is of `order`."""
        return tuple(path for path in self.paths if path.l3 == order)

    def __str__(self) -> str:
        couplings = " ".join(f"{path.l1}x{path.l2}->{path.l3}" for path in self.paths)
        return f"{len(self)} paths ({couplings})"


@functools.cache
def path_table(
    lmax_in: int, lmax_edge: int, parity: bool = True, lmax_out: int | None = None
) -> PathTable:
    """Every path with |l1 - l2| <= l3 <= min(l1 + l2, lmax_out).

    parity: keep only those with l1 + l2 + l3 even, where order l has parity (-1)^l.
    lmax_out: by default the larger of `lmax_in` and `lmax_edge`.
    """
    largest = max(lmax_in, lmax_edge) if lmax_out is None else lmax_out
    paths, offset = [], 0
    for l1 in range(lmax_in + 1):
        for l2 in range(lmax_edge + 1):
            for l3 in range(abs(l1 - l2), min(l1 + l2, largest) + 1):
                if parity and (l1 + l2 + l3) % 2:
                    continue
                paths.append(Path(l1, l2, l3, offset))
                offset += 2 * l3 + 1
    return PathTable(lmax_in, lmax_edge, parity, tuple(paths))


@functools.cache
def infer_paths(rows_in: int, rows_edge: int, channels: int, weights: int) -> PathTable:
    """The table that fits the shapes of features, harmonics and weights.

    Of tables with equally many paths the one with the largest `lmax_out` is taken. None are where
    features have order 0 only, or all orders of the harmonics.

    Raises `InvalidInput`, with the tables expected, when none does.
    """
    lmax_in, lmax_edge = _order(rows_in, "features"), _order(rows_edge, "harmonics")
    for lmax_out in range(max(lmax_in, lmax_edge), -1, -1):
        for parity in (True, False):
            table = path_table(lmax_in, lmax_edge, parity, lmax_out)
            if len(table) * channels == weights:
                return table
    tables = [path_table(lmax_in, lmax_edge, parity) for parity in (True, False)]
    expected = " or ".join(f"{len(table) * channels} for {table}" for table in tables)
    raise InvalidInput(f"{weights} weights an edge for {channels} channels; expected {expected}")


def _order(rows: int, name: str) -> int:
    order = math.isqrt(rows) - 1
    if rows < 1 or (order + 1) ** 2 != rows:
        raise InvalidInput(f"{name} have {rows} rows; must be (lmax + 1)^2: 1, 4, 9 or 16")
    return order
