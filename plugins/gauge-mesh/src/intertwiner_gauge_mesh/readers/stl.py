"""STL, binary and ASCII: a soup of triangles, joined where corners have equal coordinates."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from intertwiner.errors import DataError
from intertwiner_gauge_mesh.readers.base import MeshReader, RawMesh
from intertwiner_gauge_mesh.readers.content import lines_of, number, read_bytes

__all__ = ["StlReader"]

_HEADER, _TRIANGLE = 84, 50
_RECORD = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])


class StlReader(MeshReader):
    """Reads `.stl`. Normals of the file are passed over; the winding of its corners counts."""

    def raw_mesh(self, path: Path) -> RawMesh:
        content = read_bytes(path, self.config.max_bytes)
        corners, lines = _binary(content), list[int]()
        if corners is None:
            if content[:5].lower() != b"solid":
                raise _not_stl(path, content)
            corners, lines = _ascii(path, content)
        bad = ~np.isfinite(corners).all(axis=1)
        if bad.any():
            return RawMesh(corners, np.zeros((0, 3), dtype=np.int64), lines)
        return RawMesh(*_joined(corners))


def _not_stl(path: Path, content: bytes) -> DataError:
    if len(content) < _HEADER:
        return DataError(f"{path}: {len(content)} bytes are too few for an STL file")
    count = int.from_bytes(content[80:84], "little")
    expected = _HEADER + _TRIANGLE * count
    return DataError(
        f"{path}: neither ASCII STL (it does not begin with 'solid') nor binary STL: for the "
        f"{count:,} triangles it announces it must have {expected:,} bytes, not {len(content):,}"
    )


def _binary(content: bytes) -> NDArray[np.float64] | None:
    """Corners [3 f, 3], or None when the size does not fit the number of triangles."""
    count = int.from_bytes(content[80:84], "little")
    if len(content) < _HEADER or len(content) != _HEADER + _TRIANGLE * count:
        return None
    records = np.frombuffer(content, dtype=_RECORD, offset=_HEADER)
    return records["corners"].reshape(-1, 3).astype(np.float64)


def _ascii(path: Path, content: bytes) -> tuple[NDArray[np.float64], list[int]]:
    corners, lines, open_facet, ended = [], [], 0, False
    for place, words in lines_of(path, content, comment="\0"):
        keyword = words[0].lower()
        if keyword == "vertex":
            if len(words) != 4:
                raise DataError(f"{path}, line {place}: a vertex needs three coordinates")
            corners.append([number(path, f"line {place}", word) for word in words[1:]])
            lines.append(place)
        elif keyword == "facet":
            open_facet = place
        elif keyword == "endfacet":
            if len(corners) % 3:
                raise DataError(f"{path}, line {open_facet}: a facet without three vertices")
            open_facet = 0
        elif keyword == "endsolid":
            ended = True
        elif keyword not in ("solid", "outer", "endloop"):
            raise DataError(f"{path}, line {place}: {words[0][:40]!r} is no statement of STL")
    if open_facet or not ended:
        raise DataError(f"{path}: the file ends before 'endsolid'; it was cut short")
    return np.array(corners, dtype=np.float64).reshape(-1, 3), lines


def _joined(corners: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Distinct points in the order of their first use, and triangles."""
    _, first, place = np.unique(corners + 0.0, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return corners[first[order]], rank[place.reshape(-1)].reshape(-1, 3).astype(np.int64)
