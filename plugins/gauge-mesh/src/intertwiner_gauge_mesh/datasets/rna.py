"""`rna-surface`: molecular surfaces of 5S ribosomal RNA, a functional label for every vertex.

Poulenard, Rakotosaona, Ponty and Ovsjanikov, 3DV 2019, arXiv:1906.11555. The label of a vertex is
the column of its nearest nucleotide in the family's sequence alignment: -1 (none) to 258, here 0 to
259. Read is either one npz file (`names`, `split`, and for every name `NAME/vertices` in steps of
0.005 angstrom, `NAME/faces`, `NAME/labels`), or the folder of the published set (`off/NAME.off`,
`labels/NAME.txt`, `train.txt`, `test.txt`).

Three things are easily got wrong. Some vertices belong to no face: they are dropped here. The
surfaces are stored in one frame, in which coordinates alone tell the label: each is turned at
random. And all are of one family of molecules, so that for most of the test part a near copy is
trained on: the splits "dissimilar" and "similar" divide the test part by that.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch_geometric.data import Data

from intertwiner.atomic import write_atomically
from intertwiner.data import Dataset
from intertwiner.data.cache import dataset_folder, make_folder
from intertwiner.data.dataset import Split
from intertwiner_gauge_mesh.datasets.config import RnaConfig
from intertwiner_gauge_mesh.datasets.rna_files import RnaFiles, RnaSurface, open_rna
from intertwiner_gauge_mesh.datasets.rna_similarity import clusters, distances
from intertwiner_gauge_mesh.datasets.shapes import random_rotation, random_shape
from intertwiner_gauge_mesh.datasets.supplied import supplied

__all__ = ["CLASSES", "SAME_SHAPE", "load", "rna_place", "rna_splits", "synthetic"]

CLASSES: Final = 260
SAME_SHAPE: Final = 0.6
"""Surfaces nearer than this, in angstrom, are of one shape (single linkage)."""
_VALIDATION: Final = 10


def load(config: RnaConfig) -> Dataset:
    """The dataset with the splits "official", and "dissimilar" and "similar" with parts of its
    test part. Raises `ConfigError` without a path and `DataError` for a file of another form.
    """
    files = open_rna(rna_place(config))
    return Dataset(_Records(files, config), rna_splits(files))


def rna_place(config: RnaConfig) -> Path:
    """The file or folder that the settings name, or else the one in the data folder.

    Raises `ConfigError` when there is none.
    """
    return supplied(
        config.path,
        "gauge-mesh/rna-surface",
        ("rna_surface_120.npz", "RNA-Surface-Segmentation-Dataset"),
        "the npz file of RNA surfaces, or a copy of "
        "github.com/nmwsharp/RNA-Surface-Segmentation-Dataset",
    )


class _Records(Sequence[Data]):
    """Surfaces that are read when asked for, and kept."""

    def __init__(self, files: RnaFiles, config: RnaConfig) -> None:
        self.files = files
        self.config = config
        self._read = lru_cache(maxsize=256)(self._make)

    def __len__(self) -> int:
        return len(self.files.names)

    def __getitem__(self, index: int) -> Data:  # type: ignore[override]
        return self._read(index)

    def _make(self, index: int) -> Data:
        surface = self.files.read(self.files.names[index])
        return _record(surface, self.config)


def _record(surface: RnaSurface, config: RnaConfig) -> Data:
    used, faces = surface.referenced()
    pos = torch.from_numpy(surface.vertices[used])
    if config.rotate:
        pos = pos @ random_rotation(_generator(surface.name, config.seed)).T
    return Data(
        pos=pos.to(torch.float32),
        face=torch.from_numpy(np.ascontiguousarray(faces.T)),
        nucleotide=torch.from_numpy(surface.labels[used] + 1),
        name=surface.name,
        num_nodes=len(used),
    )


def _generator(name: str, seed: int) -> torch.Generator:
    digest = hashlib.sha256(f"{seed} {name}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:7], "big"))


def rna_splits(files: RnaFiles) -> dict[str, Split]:
    """The official test part, and ten validation surfaces whose like is not trained on.

    Training surfaces are clustered by shape; the smallest clusters are left for validation. Test
    surfaces that share a cluster with a training surface are "similar", the others "dissimilar".
    """
    part = np.array([files.parts[name] for name in files.names])
    train, test = (np.flatnonzero(part == name) for name in ("train", "test"))
    table = _distances(files)
    groups = clusters(table, SAME_SHAPE)
    known = np.isin(groups[test], groups[train])
    validation = _smallest_clusters(train, clusters(table[np.ix_(train, train)], SAME_SHAPE))
    kept = np.setdiff1d(train, validation)

    def split(chosen: NDArray[np.int64]) -> Split:
        return {"train": kept, "validation": validation, "test": chosen}

    return {
        "official": split(test),
        "similar": split(test[known]),
        "dissimilar": split(test[~known]),
    }


def _distances(files: RnaFiles) -> NDArray[np.float64]:
    """Distances of all pairs; half a minute for 120 surfaces, so they are kept in the cache."""
    path = dataset_folder("gauge-mesh/rna-surface") / f"distances-{files.digest()[:16]}.npy"
    try:
        table: NDArray[np.float64] = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        table = distances([files.read(name) for name in files.names])
        buffer = io.BytesIO()
        np.save(buffer, table)
        write_atomically(make_folder(path.parent) / path.name, [buffer.getvalue()])
    return table


def _smallest_clusters(numbers: NDArray[np.int64], groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """Whole clusters, small ones first, as long as they fit; one surface of the rest if none."""
    sizes = np.bincount(groups)
    chosen: list[int] = []
    wanted = min(_VALIDATION, max(1, len(numbers) // 8))
    for group in np.argsort(sizes, kind="stable"):
        members = numbers[groups == group].tolist()
        if len(chosen) + len(members) <= wanted:
            chosen += members
    return np.array(sorted(chosen or numbers[:1].tolist()), dtype=np.int64)


def synthetic(count: int, seed: int) -> Dataset:
    """Bumpy spheres whose label is how strongly they bend: of the same schema, made in seconds."""
    records = [_bent_sphere(1000 * seed + number) for number in range(count)]
    third = max(1, count // 4)
    numbers = np.arange(count)
    split = {
        "train": numbers[: count - 2 * third],
        "validation": numbers[count - 2 * third : count - third],
        "test": numbers[count - third :],
    }
    return Dataset(records, dict.fromkeys(("official", "similar", "dissimilar"), split))


def _bent_sphere(seed: int) -> Data:
    shape = random_shape("sphere", 162, "regular", seed)
    bend = shape.shape_tensors.diagonal(dim1=1, dim2=2).sum(1) / 2
    return Data(
        pos=(40 * shape.points).to(torch.float32),
        face=shape.faces.T.contiguous(),
        nucleotide=((bend.clamp(0, 2) / 0.25).long() + 100),
        name=f"bent sphere {seed}",
        num_nodes=len(shape.points),
    )
