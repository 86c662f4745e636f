"""Which bucket an element falls into."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from intertwiner.elements import symbol
from intertwiner_atomic_conv.errors import InvalidInput, InvalidSetting

__all__ = ["HEAVIEST", "AtomTypes"]

HEAVIEST = 118
ABSENT = -1


class AtomTypes:
    """Atomic number -> number of its bucket, -1 for an element that has none.

    numbers: atomic numbers told apart. other: one more bucket, the last, for all other elements.
    """

    def __init__(self, numbers: Sequence[int], *, other: bool) -> None:
        repeated = sorted({z for z in numbers if list(numbers).count(z) > 1})
        if repeated:
            raise InvalidSetting(f"types: {repeated[0]} is given twice")
        self.numbers, self.other = tuple(numbers), other
        table = np.full(HEAVIEST + 1, len(numbers) if other else ABSENT, dtype=np.int64)
        table[list(numbers)] = np.arange(len(numbers))
        self._table = table

    def __len__(self) -> int:
        return len(self.numbers) + self.other

    def __call__(self, z: NDArray[np.int64]) -> NDArray[np.int64]:
        """The bucket of every atom. Raises `InvalidInput` for a number that is no element."""
        outside = (z < 1) | (z > HEAVIEST)
        if outside.any():
            atom = int(np.argmax(outside))
            raise InvalidInput(f"Z[{atom}] = {z[atom]}: must be 1 to {HEAVIEST}")
        found: NDArray[np.int64] = self._table[z]
        return found

    def strangers(self, z: NDArray[np.int64]) -> list[str]:
        """What becomes of elements that have no bucket of their own, in words."""
        fate = "in bucket 'other'" if self.other else "left out: not in the type list"
        numbers, counts = np.unique(z[~np.isin(z, self.numbers)], return_counts=True)
        return [
            f"{count} atom{'s' if count > 1 else ''} of {symbol(int(number))} {fate}"
            for number, count in zip(numbers, counts, strict=True)
        ]
