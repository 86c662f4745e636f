"""OBJ: `v x y z` and `f 1 2 3`, numbers from 1, or from the end where negative."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from intertwiner.errors import DataError
from intertwiner_gauge_mesh.readers.base import MeshReader, RawMesh
from intertwiner_gauge_mesh.readers.content import lines_of, number, read_bytes, whole_number

__all__ = ["ObjReader"]

_PASSED_OVER: Final = frozenset(
    [
        "vt",
        "vn",
        "vp",
        "g",
        "o",
        "s",
        "l",
        "p",
        "mg",
        "usemtl",
        "mtllib",
        "usemap",
        "maplib",
        "shadow_obj",
        "trace_obj",
        "lod",
        "bevel",
    ]
)


class ObjReader(MeshReader):
    """Reads `.obj`; textures, normals, groups and materials are passed over."""

    def raw_mesh(self, path: Path) -> RawMesh:
        points: list[list[float]] = []
        polygons: list[list[int]] = []
        point_lines, face_lines = [], []
        for place, words in lines_of(path, read_bytes(path, self.config.max_bytes)):
            if words[0] == "v":
                points.append(_point(path, place, words))
                point_lines.append(place)
            elif words[0] == "f":
                polygons.append([_corner(path, place, word, len(points)) for word in words[1:]])
                face_lines.append(place)
            elif words[0] not in _PASSED_OVER:
                raise DataError(f"{path}, line {place}: {words[0][:40]!r} is no statement of OBJ")
        array = np.array(points, dtype=np.float64).reshape(-1, 3)
        return RawMesh(array, polygons, point_lines, face_lines)


def _point(path: Path, place: int, words: list[str]) -> list[float]:
    if len(words) < 4:
        raise DataError(f"{path}, line {place}: a vertex needs three coordinates, not {words[1:]}")
    return [number(path, f"line {place}", word) for word in words[1:4]]


def _corner(path: Path, place: int, word: str, seen: int) -> int:
    """The vertex of "7", "7/1", "7//3" or "-1", from 0."""
    index = whole_number(path, f"line {place}", word.split("/", 1)[0])
    if index == 0:
        raise DataError(f"{path}, line {place}: vertex 0; OBJ numbers vertices from 1")
    return index - 1 if index > 0 else seen + index
