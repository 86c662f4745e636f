"""Lines of fixed columns as an array of bytes, so that a whole file is checked at once.

A PDB file of 5,000 atoms is 400,000 characters; looked at one by one in Python they cost more
than all else together.
"""

from __future__ import annotations

import sys
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Bool, Int, UInt8
from numpy.typing import NDArray

from intertwiner.errors import DataError
from intertwiner_atoms.readers import text

__all__ = ["FixedLines", "as_numbers", "kinds_of", "number_of", "texts"]

MAX_LINES: Final = 1 << 24
"""More lines than any file of atoms below the size limit has."""

_NEWLINE, _RETURN, _BLANK = 10, 13, 32


class FixedLines:
    """The lines of `data`; lines count from 0 here and from 1 in messages.

    Raises `DataError` naming the line that is longer than `text.MAX_LINE`.
    """

    def __init__(self, path: Path, data: bytes) -> None:
        if b"\n" not in data:
            data = data.replace(b"\r", b"\n")
        self.path = path
        self.data = data
        if data.count(b"\n") > MAX_LINES:
            raise DataError(f"{path}: more than {MAX_LINES:,} lines: not a file of atoms")
        self._padded = data + b" " * 96
        self._bytes = np.frombuffer(self._padded, dtype=np.uint8)
        ends = np.flatnonzero(self._bytes[: len(data)] == _NEWLINE)
        if data and not data.endswith(b"\n"):
            ends = np.append(ends, len(data))
        self._starts = np.concatenate([[0], ends + 1])[: len(ends)]
        returned = self._bytes[np.maximum(ends - 1, 0)] == _RETURN
        self.lengths: Int[NDArray[np.int64], " lines"] = ends - returned - self._starts
        if len(ends) and self.lengths.max() > text.MAX_LINE:
            number = int(np.argmax(self.lengths > text.MAX_LINE)) + 1
            raise DataError(f"{path}, line {number}: longer than {text.MAX_LINE:,} bytes")

    def __len__(self) -> int:
        return len(self.lengths)

    @cached_property
    def _heads(self) -> NDArray[np.uint64]:
        """The first eight characters of every line as one number; a line's end is among them."""
        return as_numbers(self._windows(8)[self._starts])

    def begins(self, *words: bytes) -> Bool[NDArray[np.bool_], " lines"]:
        """Which lines begin with one of `words` of at most eight characters."""
        found = np.zeros(len(self), dtype=bool)
        for word in words:
            mask, value = number_of(b"\xff" * len(word)), number_of(word)
            found |= (self._heads & mask) == value
        return found

    def columns(
        self, chosen: Int[NDArray[np.int64], " chosen"], start: int, stop: int
    ) -> UInt8[NDArray[np.uint8], "chosen width"]:
        """The characters from `start` to `stop` <= 96 of lines, blanks behind a line's end."""
        windows = self._windows(stop - start)
        lengths = self.lengths[chosen]
        begins = np.minimum(self._starts[chosen] + start, len(windows) - 1)
        found: NDArray[np.uint8] = windows[begins]
        short = np.flatnonzero(lengths < stop)
        if len(short):
            behind = np.arange(start, stop) >= lengths[short][:, None]
            found[short] = np.where(behind, np.uint8(_BLANK), found[short])
        return found

    def _windows(self, width: int) -> NDArray[np.uint8]:
        """Every stretch of `width` characters, as a view; numpy's own function takes its time."""
        shape = (len(self._padded) - width + 1, width)
        return np.ndarray(shape, np.uint8, self._padded, strides=(1, 1))

    def line(self, index: int) -> str:
        """One line; a byte is a character, so that columns are where the format has them."""
        start = int(self._starts[index])
        return self.data[start : start + int(self.lengths[index])].decode("latin-1")


def texts(grid: UInt8[NDArray[np.uint8], "rows width"]) -> NDArray[np.bytes_]:
    """Every row of characters as one string, `[rows]` of type S with its blanks left in."""
    rows, width = grid.shape
    joined = np.ascontiguousarray(grid).view(f"S{width}")
    return joined.reshape(rows)


def as_numbers(grid: UInt8[NDArray[np.uint8], "rows width"]) -> NDArray[np.uint64]:
    """Every row of at most eight characters as one number, which is quick to compare and sort."""
    rows, width = grid.shape
    padded = np.zeros((rows, 8), dtype=np.uint8)
    padded[:, :width] = grid
    found: NDArray[np.uint64] = padded.view(np.uint64).reshape(rows)
    return found


def number_of(word: bytes) -> np.uint64:
    """The number that `as_numbers` gives for a word of at most eight characters."""
    return np.uint64(int.from_bytes(word.ljust(8, b"\0"), sys.byteorder))


def kinds_of(
    grid: UInt8[NDArray[np.uint8], "rows width"],
) -> tuple[list[str], Int[NDArray[np.int64], " rows"]]:
    """(the different rows of at most eight characters, which of them each row is)."""
    numbers, kind = np.unique(as_numbers(grid), return_inverse=True)
    words = [number.tobytes()[: grid.shape[1]].decode("latin-1") for number in numbers]
    return words, kind.reshape(-1)
