"""RNA surfaces as they are stored: one npz file, or the folder of the published set."""

from __future__ import annotations

import hashlib
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from intertwiner.errors import DataError
from intertwiner_gauge_mesh.readers.content import lines_of, read_bytes, whole_number
from intertwiner_gauge_mesh.readers.off import OffReader

__all__ = ["RnaFiles", "RnaSurface", "open_rna"]

_STEP: Final = 0.005
"""Angstrom, of the vertices in the npz file."""
_LABELS: Final = (-1, 258)
_TEXT_LIMIT: Final = 64 << 20


@dataclass(frozen=True)
class RnaSurface:
    """vertices [v, 3] in angstrom, faces [f, 3], labels [v] from -1 to 258."""

    name: str
    vertices: NDArray[np.float64]
    faces: NDArray[np.int64]
    labels: NDArray[np.int64]

    def referenced(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Numbers of the vertices that belong to a face, and faces in terms of them."""
        used, renumbered = np.unique(self.faces, return_inverse=True)
        return used, renumbered.reshape(self.faces.shape).astype(np.int64)


class RnaFiles(ABC):
    """names of the surfaces; parts: name -> "train" or "test"."""

    names: Sequence[str]
    parts: Mapping[str, str]

    @abstractmethod
    def read(self, name: str) -> RnaSurface:
        """One surface. Raises `DataError` naming the file and what is wrong."""

    def digest(self) -> str:
        """SHA-256 of all names, parts and vertices."""
        found = hashlib.sha256()
        for name in self.names:
            found.update(f"{name} {self.parts[name]}".encode())
            found.update(self.read(name).vertices.tobytes())
        return found.hexdigest()


def open_rna(path: str | Path) -> RnaFiles:
    """The npz file or folder at `path`. Raises `DataError` for anything else."""
    place = Path(path).expanduser()
    if place.is_dir():
        return _Folder(place)
    return _Archive(place)


class _Archive(RnaFiles):
    """The npz file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with np.load(path, allow_pickle=False) as arrays:
                self._arrays: dict[str, NDArray[Any]] = {key: arrays[key] for key in arrays.files}
        except (OSError, ValueError, EOFError, AttributeError, zipfile.BadZipFile) as error:
            raise DataError(f"{path}: not a npz of plain arrays: {error}") from error
        self.names = [str(name) for name in self._array("names")]
        parts = [str(part) for part in self._array("split")]
        if len(parts) != len(self.names) or not {"train", "test"} >= set(parts):
            raise DataError(f"{path}: 'split' must say 'train' or 'test' for each of 'names'")
        self.parts = dict(zip(self.names, parts, strict=True))

    def _array(self, key: str) -> NDArray[Any]:
        if key not in self._arrays:
            raise DataError(f"{self.path}: lacks the array {key!r}")
        return self._arrays[key]

    def read(self, name: str) -> RnaSurface:
        vertices, faces, labels = (
            self._array(f"{name}/{key}") for key in ("vertices", "faces", "labels")
        )
        surface = RnaSurface(
            name,
            vertices.astype(np.float64) * _STEP,
            faces.astype(np.int64),
            labels.astype(np.int64),
        )
        _check(f"{self.path}: {name}", surface)
        return surface


class _Folder(RnaFiles):
    """The published set: `train.txt` and `test.txt` name the files in `off` and `labels`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        lists = {part: _names(path / f"{part}.txt") for part in ("train", "test")}
        self.names = [name for names in lists.values() for name in names]
        self.parts = {name: part for part, names in lists.items() for name in names}

    def read(self, name: str) -> RnaSurface:
        (mesh,) = OffReader()(self.path / "off" / f"{name}.off")
        path = self.path / "labels" / f"{name}.txt"
        rows = lines_of(path, read_bytes(path, _TEXT_LIMIT))
        labels = [whole_number(path, f"line {place}", words[0]) for place, words in rows]
        surface = RnaSurface(
            name,
            mesh.pos.numpy().astype(np.float64),
            mesh.face.T.numpy().astype(np.int64),
            np.array(labels, dtype=np.int64),
        )
        _check(str(path), surface)
        return surface


def _names(path: Path) -> list[str]:
    """Names of surfaces, one a line, with or without the suffix of a file."""
    return [Path(words[0]).stem for _, words in lines_of(path, read_bytes(path, _TEXT_LIMIT))]


def _check(where: str, surface: RnaSurface) -> None:
    vertices, faces, labels = surface.vertices, surface.faces, surface.labels
    if vertices.ndim != 2 or vertices.shape[1] != 3 or faces.ndim != 2 or faces.shape[1] != 3:
        raise DataError(f"{where}: vertices and faces must have three columns")
    if len(labels) != len(vertices):
        raise DataError(f"{where}: {len(labels)} labels for {len(vertices)} vertices")
    if faces.size and (faces.min() < 0 or faces.max() >= len(vertices)):
        raise DataError(f"{where}: a face names vertex {faces.max()} of {len(vertices)}")
    if labels.size and (labels.min() < _LABELS[0] or labels.max() > _LABELS[1]):
        found = f"{labels.min()} to {labels.max()}"
        raise DataError(f"{where}: labels are {found}, must be within {_LABELS}")
