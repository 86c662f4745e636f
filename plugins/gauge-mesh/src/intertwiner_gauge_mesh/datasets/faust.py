"""`faust`: correspondence between scans of people, from the user's own copy of MPI FAUST.

Bogo, Romero, Loper and Black, CVPR 2014. The archive `MPI-FAUST.zip` comes from the official site
after registration and may not be passed on. Read are the 100 registrations
`MPI-FAUST/training/registrations/tr_reg_000.ply` to `_099.ply`: 6,890 vertices each, in metres,
all of one topology. The number of a vertex is its label, so a model that saw that number would be
right for nothing: `shuffle` puts the vertices of the test meshes in random order.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch_geometric.data import Data

from intertwiner.data import Dataset
from intertwiner.data.archive import members
from intertwiner.errors import DataError
from intertwiner_gauge_mesh.datasets.config import FaustConfig
from intertwiner_gauge_mesh.datasets.shapes import random_rotation, random_shape
from intertwiner_gauge_mesh.datasets.supplied import supplied
from intertwiner_gauge_mesh.readers.content import read_bytes
from intertwiner_gauge_mesh.readers.ply import parse_ply

__all__ = ["FOLDER", "SITE", "VERTICES", "archive_digest", "faust_place", "load", "synthetic"]

SITE: Final = "https://faust-leaderboard.is.tuebingen.mpg.de"
FOLDER: Final = "MPI-FAUST/training/registrations"
VERTICES: Final = 6890
_SCANS: Final = 100
_TEST: Final = 80
_LIMIT: Final = 64 << 20
_log = logging.getLogger(__name__)


def load(config: FaustConfig) -> Dataset:
    """The dataset: scans 0 to 71 to train on, 72 to 79 to validate, 80 to 99 (two subjects that
    are not trained on) to test.

    Raises `ConfigError` without a path and `DataError` for another archive, naming what it lacks.
    """
    place = faust_place(config)
    contents = _from_folder(place) if place.is_dir() else _from_archive(place)
    scans = [_scan(place, number, content) for number, content in enumerate(contents)]
    numbers = np.arange(_SCANS)
    split = {"train": numbers[: _TEST - 8], "validation": numbers[_TEST - 8 : _TEST]}
    return Dataset(_Records(scans, config), {"official": {**split, "test": numbers[_TEST:]}})


def faust_place(config: FaustConfig) -> Path:
    """The archive or folder that the settings name, or else the one in the data folder.

    Raises `ConfigError` when there is none.
    """
    names = ("MPI-FAUST.zip", "MPI-FAUST")
    return supplied(config.path, "gauge-mesh/faust", names, f"your own MPI-FAUST.zip, from {SITE}")


def archive_digest(path: str | Path) -> str:
    """SHA-256 of the archive; no official one is known to compare with."""
    found = hashlib.sha256()
    with Path(path).expanduser().open("rb") as stream:
        while block := stream.read(1 << 20):
            found.update(block)
    return found.hexdigest()


def _member(number: int) -> str:
    return f"{FOLDER}/tr_reg_{number:03d}.ply"


def _from_archive(path: Path) -> Iterator[bytes]:
    if not path.is_file():
        raise DataError(f"{path}: no such file; MPI-FAUST.zip comes from {SITE}")
    wanted = {_member(number) for number in range(_SCANS)}
    found = {member.name: member.read() for member in members(path) if member.name in wanted}
    _require(path, wanted - found.keys())
    _log.info("%s: SHA-256 %s", path, archive_digest(path))
    return (found[_member(number)] for number in range(_SCANS))


def _from_folder(path: Path) -> Iterator[bytes]:
    """`path` is the folder MPI-FAUST, the folder that holds it, or that of the scans."""
    for root in (path.parent, path, path.parents[2] if len(path.parts) > 3 else path):
        if (root / _member(0)).is_file():
            files = [root / _member(number) for number in range(_SCANS)]
            _require(path, {_member(n) for n, file in enumerate(files) if not file.is_file()})
            return (read_bytes(file, _LIMIT) for file in files)
    raise DataError(f"{path}: holds no {_member(0)}; unpack MPI-FAUST.zip from {SITE} there")


def _require(path: Path, missing: set[str]) -> None:
    if missing:
        raise DataError(
            f"{path}: not the official archive: lacks {len(missing)} of {_SCANS} scans, the first "
            f"is {min(missing)}; MPI-FAUST.zip comes from {SITE}"
        )


def _scan(path: Path, number: int, content: bytes) -> Data:
    name = _member(number)
    raw = parse_ply(path / name, content)
    if len(raw.points) != VERTICES:
        raise DataError(f"{path}: {name} has {len(raw.points)} vertices, not {VERTICES}")
    faces = np.asarray(raw.polygons, dtype=np.int64)
    if faces.ndim != 2 or faces.shape[1] != 3 or faces.min() < 0 or faces.max() >= VERTICES:
        raise DataError(f"{path}: {name} holds faces that are no triangles of its vertices")
    return Data(
        pos=torch.from_numpy(raw.points.astype(np.float32)),
        face=torch.from_numpy(np.ascontiguousarray(faces.T)),
        correspondence=torch.arange(VERTICES),
        name=f"tr_reg_{number:03d}",
        num_nodes=VERTICES,
    )


class _Records(Sequence[Data]):
    """Scans; those of the test part turned and shuffled as the settings say."""

    def __init__(self, scans: Sequence[Data], config: FaustConfig) -> None:
        self.scans = scans
        self.config = config
        self._changed = lru_cache(maxsize=_SCANS)(self._change)

    def __len__(self) -> int:
        return len(self.scans)

    def __getitem__(self, index: int) -> Data:  # type: ignore[override]
        index = range(len(self))[index]
        return self._changed(index) if index >= _TEST else self.scans[index]

    def _change(self, index: int) -> Data:
        record = self.scans[index].clone()
        generator = torch.Generator().manual_seed(1000 * self.config.seed + index)
        if self.config.rotate:
            record.pos = (record.pos.double() @ random_rotation(generator).T).float()
        if self.config.shuffle:
            _shuffle(record, generator)
        return record


def _shuffle(record: Data, generator: torch.Generator) -> None:
    order = torch.randperm(len(record.pos), generator=generator)
    place = torch.empty_like(order)
    place[order] = torch.arange(len(order))
    record.pos, record.correspondence = record.pos[order], record.correspondence[order]
    record.face = place[record.face]


def synthetic(count: int, seed: int) -> Dataset:
    """Bumpy spheres of one topology, of which the number of a vertex is its label."""
    records = []
    for number in range(count):
        shape = random_shape("sphere", 162, "regular", 1000 * seed + number)
        size = len(shape.points)
        records.append(
            Data(
                pos=shape.points.float(),
                face=shape.faces.T.contiguous(),
                correspondence=torch.arange(size),
                name=f"stand-in {number}",
                num_nodes=size,
            )
        )
    third = max(1, count // 4)
    numbers = np.arange(count)
    split = {
        "train": numbers[: count - 2 * third],
        "validation": numbers[count - 2 * third : count - third],
        "test": numbers[count - third :],
    }
    return Dataset(records, {"official": split})
