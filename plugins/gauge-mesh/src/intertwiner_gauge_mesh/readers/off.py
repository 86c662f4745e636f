"""OFF: the word OFF, three counts, vertices, then faces as a count and vertex numbers from 0."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from intertwiner.errors import DataError
from intertwiner_gauge_mesh.readers.base import MeshReader, RawMesh
from intertwiner_gauge_mesh.readers.content import (
    Line,
    lines_of,
    number,
    read_bytes,
    whole_number,
)

__all__ = ["OffReader"]

_KINDS = ("OFF", "COFF", "NOFF", "CNOFF")
"""With colours and normals too, which follow the coordinates and are passed over."""


class OffReader(MeshReader):
    """Reads `.off`."""

    def raw_mesh(self, path: Path) -> RawMesh:
        lines = lines_of(path, read_bytes(path, self.config.max_bytes))
        vertices, faces = _counts(path, lines)
        points, point_lines = [], []
        for index in range(vertices):
            place, words = _next(path, lines, f"{index} of {vertices} vertices")
            points.append(_point(path, place, words))
            point_lines.append(place)
        polygons, face_lines = [], []
        for index in range(faces):
            place, words = _next(path, lines, f"{index} of {faces} faces")
            polygons.append(_polygon(path, place, words))
            face_lines.append(place)
        array = np.array(points, dtype=np.float64).reshape(-1, 3)
        return RawMesh(array, polygons, point_lines, face_lines)


def _counts(path: Path, lines: Iterator[Line]) -> tuple[int, int]:
    place, words = _next(path, lines, "the word OFF")
    if words[0] not in _KINDS:
        raise DataError(f"{path}, line {place}: {words[0][:40]!r} where the word OFF must stand")
    words = words[1:]
    if not words:
        place, words = _next(path, lines, "the counts")
    if len(words) < 2:
        raise DataError(f"{path}, line {place}: two counts are needed, of vertices and of faces")
    vertices, faces = (whole_number(path, f"line {place}", word) for word in words[:2])
    if vertices < 0 or faces < 0:
        raise DataError(f"{path}, line {place}: {vertices} vertices and {faces} faces")
    return vertices, faces


def _next(path: Path, lines: Iterator[Line], reached: str) -> Line:
    found = next(lines, None)
    if found is None:
        raise DataError(f"{path}: the file ends after {reached}; it was cut short")
    return found


def _point(path: Path, place: int, words: list[str]) -> list[float]:
    if len(words) < 3:
        raise DataError(f"{path}, line {place}: a vertex needs three coordinates, not {words}")
    return [number(path, f"line {place}", word) for word in words[:3]]


def _polygon(path: Path, place: int, words: list[str]) -> list[int]:
    count = whole_number(path, f"line {place}", words[0])
    if count < 0 or len(words) < count + 1:
        raise DataError(
            f"{path}, line {place}: a face of {words[0]} corners with {len(words) - 1} numbers"
        )
    return [whole_number(path, f"line {place}", word) for word in words[1 : count + 1]]
