"""Legacy VTK files of polygons (`DATASET POLYDATA`), ASCII and binary, versions 1 to 5.1."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from intertwiner.errors import DataError
from intertwiner_gauge_mesh.readers.base import MeshReader, RawMesh
from intertwiner_gauge_mesh.readers.content import number, read_bytes, whole_number

__all__ = ["VtkReader"]

_KINDS: Final = {
    "float": ">f4",
    "double": ">f8",
    "int": ">i4",
    "long": ">i8",
    "vtktypeint64": ">i8",
    "vtkidtype": ">i8",
}
_WORD: Final = re.compile(rb"\S+")
_END: Final = ("POINT_DATA", "CELL_DATA", "FIELD")


class VtkReader(MeshReader):
    """Reads `.vtk`; data on points and cells is passed over."""

    def raw_mesh(self, path: Path) -> RawMesh:
        cursor = _Cursor(path, read_bytes(path, self.config.max_bytes))
        if not cursor.line().startswith("# vtk DataFile"):
            raise DataError(f"{path}, line 1: not a legacy VTK file; XML files (.vtp) are not read")
        cursor.line()
        kind = cursor.word()
        if kind not in ("ASCII", "BINARY"):
            raise DataError(f"{path}, {cursor.place}: {kind!r} where ASCII or BINARY must stand")
        cursor.binary = kind == "BINARY"
        words = cursor.word(), cursor.word()
        if words != ("DATASET", "POLYDATA"):
            raise DataError(
                f"{path}, {cursor.place}: {' '.join(words)[:60]!r}; only DATASET POLYDATA, a "
                "surface, is read"
            )
        return _sections(path, cursor)


def _sections(path: Path, cursor: _Cursor) -> RawMesh:
    points: NDArray[np.float64] | None = None
    polygons: list[list[int]] = []
    while (keyword := cursor.word().upper()) and keyword not in _END:
        if keyword == "METADATA":
            cursor.skip_metadata()
        elif keyword == "POINTS":
            count = cursor.whole()
            points = cursor.array(3 * count, cursor.word(), "points").reshape(-1, 3).astype(float)
        elif keyword in ("POLYGONS", "LINES", "VERTICES", "TRIANGLE_STRIPS"):
            found = _cells(cursor, keyword)
            if keyword == "TRIANGLE_STRIPS" and found:
                raise DataError(f"{path}, {cursor.place}: triangle strips are not read; split them")
            polygons = found if keyword == "POLYGONS" else polygons
        else:
            raise DataError(f"{path}, {cursor.place}: {keyword[:40]!r} is no section of polygons")
    if points is None:
        raise DataError(f"{path}: the section POINTS is missing")
    return RawMesh(points, polygons)


def _cells(cursor: _Cursor, keyword: str) -> list[list[int]]:
    """Polygons in the form of version 5.1 (offsets and connectivity), or of those before."""
    first, second = cursor.whole(), cursor.whole()
    if cursor.peek() == "OFFSETS":
        cursor.word()
        offsets = cursor.array(first, cursor.word(), f"offsets of {keyword}").astype(np.int64)
        if cursor.word() != "CONNECTIVITY":
            raise DataError(f"{cursor.path}, {cursor.place}: CONNECTIVITY must follow OFFSETS")
        items = cursor.array(second, cursor.word(), keyword).astype(np.int64).tolist()
        bounds = offsets.tolist()
        return [items[a:b] for a, b in pairwise(bounds)]
    flat = cursor.array(second, "int", keyword).astype(np.int64).tolist()
    found, at = [], 0
    for _ in range(first):
        if at >= len(flat) or at + 1 + flat[at] > len(flat):
            raise DataError(f"{cursor.path}, {cursor.place}: {keyword} are cut short")
        found.append(flat[at + 1 : at + 1 + flat[at]])
        at += 1 + flat[at]
    return found


class _Cursor:
    """Reads words, lines and arrays one after the other."""

    def __init__(self, path: Path, content: bytes) -> None:
        self.path, self.content = path, content
        self.at = 0
        self.binary = False

    @property
    def place(self) -> str:
        """The line that was read last; in binary files lines mean nothing after the first array."""
        before = self.content.count(b"\n", 0, max(0, self.at - 1))
        return f"line {before + 1}"

    def line(self) -> str:
        stop = self.content.find(b"\n", self.at)
        stop = len(self.content) if stop < 0 else stop
        text = self.content[self.at : stop].decode("ascii", errors="replace")
        self.at = stop + 1
        return text.rstrip("\r")

    def peek(self) -> str:
        found = _WORD.search(self.content, self.at)
        return found[0].decode("ascii", errors="replace") if found else ""

    def word(self) -> str:
        """The next word; empty at the end of the file."""
        found = _WORD.search(self.content, self.at)
        if found is None:
            self.at = len(self.content)
            return ""
        self.at = found.end()
        return found[0].decode("ascii", errors="replace")

    def whole(self) -> int:
        value = whole_number(self.path, self.place, self.word())
        if value < 0:
            raise DataError(f"{self.path}, {self.place}: a negative count, {value}")
        return value

    def skip_metadata(self) -> None:
        """Up to the blank line that ends the section."""
        self.line()
        while self.at < len(self.content) and self.line().strip():
            pass

    def array(self, count: int, kind: str, what: str) -> NDArray[Any]:
        """`count` numbers that follow, of a type of VTK's."""
        if kind.lower() not in _KINDS:
            raise DataError(f"{self.path}, {self.place}: numbers of type {kind[:40]!r}")
        dtype = np.dtype(_KINDS[kind.lower()])
        if self.binary:
            return self._bytes(count, dtype, what)
        if count > len(self.content):
            raise self._short(what)
        parse = number if dtype.kind == "f" else whole_number
        values = []
        for _ in range(count):
            text = self.word()
            if not text:
                raise self._short(what)
            values.append(parse(self.path, self.place, text) if _odd(text) else float(text))
        return np.array(values, dtype=dtype)

    def _bytes(self, count: int, dtype: np.dtype[Any], what: str) -> NDArray[Any]:
        self.line()
        stop = self.at + count * dtype.itemsize
        if stop > len(self.content):
            raise self._short(what)
        found = np.frombuffer(self.content, dtype, count, self.at) if count else np.empty(0, dtype)
        self.at = stop
        return found

    def _short(self, what: str) -> DataError:
        return DataError(f"{self.path}: the file ends within {what}; it was cut short")


def _odd(text: str) -> bool:
    """Whether the word must be looked at closely, with its place: finding that takes time."""
    return re.fullmatch(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?", text) is None
