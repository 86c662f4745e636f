"""What all readers of meshes share: called with a path, they give a list of one record."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch_geometric.data import Data

from intertwiner.errors import DataError
from intertwiner_gauge_mesh.readers.config import MeshReadConfig

__all__ = ["MeshReader", "RawMesh"]

_log = logging.getLogger(__name__)


@dataclass
class RawMesh:
    """What a file says: points [v, 3] in float64 and polygons of vertex numbers from 0.

    point_lines, face_lines: the line of each in a text file, empty where there are none.
    """

    points: NDArray[np.float64]
    polygons: Sequence[Sequence[int]] | NDArray[np.int64]
    point_lines: Sequence[int] = field(default_factory=tuple)
    face_lines: Sequence[int] = field(default_factory=tuple)


class MeshReader(ABC):
    """A reader of one format: `OffReader()(path)` is a list with the mesh of the file.

    A format says only how its bytes become a `RawMesh`; checks are shared. Records carry
    `pos` [v, 3] in the file's own unit and `face` [3, f]. What else is wrong with a surface (open,
    folded, not orientable) is for the geometry to say, since it depends on its use.
    """

    def __init__(self, config: MeshReadConfig | None = None) -> None:
        self.config = config or MeshReadConfig()

    def __call__(self, path: Path | str) -> list[Data]:
        """The mesh of the file. Raises `DataError` naming file, line, value and remedy."""
        path = Path(path)
        raw = self.raw_mesh(path)
        _check_points(path, raw)
        faces = self._triangles(path, raw)
        points = raw.points
        if self.config.unreferenced == "drop":
            points, faces = _referenced(path, points, faces)
        pos = torch.from_numpy(points.astype(np.float32))
        face = torch.from_numpy(np.ascontiguousarray(faces.T))
        return [Data(pos=pos, face=face, name=path.stem, num_nodes=len(pos))]

    @abstractmethod
    def raw_mesh(self, path: Path) -> RawMesh:
        """What the file says."""

    def _triangles(self, path: Path, raw: RawMesh) -> NDArray[np.int64]:
        if isinstance(raw.polygons, np.ndarray):
            faces, owner = raw.polygons.reshape(-1, 3), np.arange(len(raw.polygons))
        else:
            faces, owner = self._split(path, raw)
        if not len(faces):
            raise DataError(f"{path}: the mesh has no faces; a cloud of points is not a surface")
        wrong = ((faces < 0) | (faces >= len(raw.points))).any(axis=1)
        if wrong.any():
            first = int(owner[wrong.argmax()])
            raise DataError(
                f"{path}{_where(raw.face_lines, first)}: face {first + 1} names a vertex that is "
                f"not among the {len(raw.points):,}: {faces[wrong.argmax()].tolist()} (from 0)"
            )
        return faces

    def _split(self, path: Path, raw: RawMesh) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Triangles around the first corner of every polygon, and the polygon each comes from."""
        faces, owner, larger = [], [], 0
        for number, polygon in enumerate(raw.polygons):
            if len(polygon) < 3 or (len(polygon) > 3 and self.config.polygons == "stop"):
                raise DataError(
                    f"{path}{_where(raw.face_lines, number)}: face {number + 1} has "
                    f"{len(polygon)} corners; only triangles are surfaces here"
                )
            larger += len(polygon) > 3
            for second, third in pairwise(polygon[1:]):
                faces.append((polygon[0], second, third))
                owner.append(number)
        if larger:
            _log.info("%s: %d polygons were split into triangles", path, larger)
        return np.array(faces, dtype=np.int64).reshape(-1, 3), np.array(owner, dtype=np.int64)


def _check_points(path: Path, raw: RawMesh) -> None:
    if not len(raw.points):
        raise DataError(f"{path}: the mesh has no vertices")
    bad = ~np.isfinite(raw.points).all(axis=1)
    if bad.any():
        first = int(bad.argmax())
        raise DataError(
            f"{path}{_where(raw.point_lines, first)}: vertex {first + 1} lies at "
            f"{raw.points[first].tolist()}; coordinates must be finite"
        )


def _where(lines: Sequence[int], number: int) -> str:
    return f", line {lines[number]}" if number < len(lines) else ""


def _referenced(
    path: Path, points: NDArray[np.float64], faces: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    used, renumbered = np.unique(faces, return_inverse=True)
    if len(used) < len(points):
        _log.info("%s: %d vertices of no face were dropped", path, len(points) - len(used))
    return points[used], renumbered.reshape(faces.shape).astype(np.int64)
