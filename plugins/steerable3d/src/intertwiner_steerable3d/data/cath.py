"""CATH domains as C-alpha atoms: their architecture, from the sets of deepfold.

Folds 0 to 6 train, 7 validates, 8 and 9 test, as in the paper; folds share no superfamily.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from jaxtyping import Int
from numpy.typing import NDArray
from torch import Tensor
from torch_geometric.data import Data

from intertwiner.data import Dataset
from intertwiner.errors import ConfigError
from intertwiner_steerable3d.data.config import CathData
from intertwiner_steerable3d.data.npz import check_offsets, read_npz
from intertwiner_steerable3d.data.rotations import random_rotations
from intertwiner_steerable3d.data.supplied import supplied
from intertwiner_steerable3d.data.volumes import OnDemand, volume_record
from intertwiner_steerable3d.errors import InvalidInput
from intertwiner_steerable3d.voxels.grid import Grid
from intertwiner_steerable3d.voxels.voxelise import voxelise_atoms

__all__ = ["KEYS", "load", "synthetic"]

KEYS: Final = ("n_atoms", "positions", "labels", "split_start_indices")
TARGETS: Final = {"fold_class": 3, "architecture": 10, "topology": 20}
_FOLDS: Final = 10
_MISSING: Final = -100
"""What the core takes for a class that is not known."""


def load(config: CathData) -> Dataset:
    """The domains of one file.

    Raises `ConfigError` without a path or for a target that the file does not have, and
    `InvalidInput` for arrays that do not fit each other.
    """
    path = supplied(config.path, "cath", "cath_10arch_ca.npz", "a file of deepfold's CATH sets")
    arrays = read_npz(path, KEYS)
    _check(path, arrays)
    return _dataset(path.name, arrays, config)


def _check(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    domains, positions = len(arrays["n_atoms"]), arrays["positions"]
    if positions.ndim != 3 or positions.shape[2] != 3 or len(positions) != domains:
        raise InvalidInput(f"{path}: positions {positions.shape}, must be ({domains}, atoms, 3)")
    if len(arrays["labels"]) != domains:
        raise InvalidInput(f"{path}: {len(arrays['labels'])} labels for {domains} domains")
    most = int(arrays["n_atoms"].max(initial=0))
    if most > positions.shape[1] or int(arrays["n_atoms"].min(initial=1)) < 1:
        raise InvalidInput(f"{path}: n_atoms must be from 1 to {positions.shape[1]}")
    starts = arrays["split_start_indices"]
    if len(starts) != _FOLDS:
        raise InvalidInput(f"{path}: {len(starts)} folds in split_start_indices, must be {_FOLDS}")
    check_offsets(path, "split_start_indices", np.append(starts, domains), domains)


def _dataset(name: str, arrays: Mapping[str, NDArray[Any]], config: CathData) -> Dataset:
    labels = _classes(arrays["labels"])
    count = int(labels.max()) + 1
    target = next((known for known, classes in TARGETS.items() if count <= classes), None)
    if target is None or (config.targets and target not in config.targets):
        raise ConfigError(
            f"data.targets: {name} has {count} classes, which is {target or 'none of the sets'}; "
            f"give --data.targets {target}"
        )
    domains = _Domains(name, arrays, labels, target, config)
    starts = np.append(arrays["split_start_indices"], len(labels)).astype(np.int64)
    folds = {"train": (0, 7), "validation": (7, 8), "test": (8, 10)}
    split = {part: np.arange(starts[a], starts[b]) for part, (a, b) in folds.items()}
    return Dataset(OnDemand(len(labels), domains.record), {"folds": split})


def _classes(labels: NDArray[Any]) -> Int[Tensor, " domains"]:
    """Rows of labels numbered in their sorted order."""
    rows = labels.reshape(len(labels), -1)
    return torch.from_numpy(np.unique(rows, axis=0, return_inverse=True)[1].reshape(-1))


class _Domains:
    """Volumes of C-alpha atoms whose sum over the grid is 1 for each atom."""

    def __init__(
        self,
        name: str,
        arrays: Mapping[str, NDArray[Any]],
        labels: Int[Tensor, " domains"],
        target: str,
        config: CathData,
    ) -> None:
        self.name, self.labels, self.target, self.config = name, labels, target, config
        self.counts, self.positions = arrays["n_atoms"], arrays["positions"]
        self.grid = Grid.cube(config.side, config.step)

    def record(self, index: int) -> Data:
        count = int(self.counts[index])
        pos = torch.from_numpy(np.asarray(self.positions[index, :count], dtype=np.float32))
        pos = pos - pos.mean(dim=0)
        if self.config.rotate:
            draw = torch.Generator().manual_seed(self.config.seed * 1_000_003 + index)
            pos = pos @ random_rotations(1, draw)[0].float().T
        volume = voxelise_atoms(
            pos,
            torch.zeros(count, dtype=torch.int64),
            torch.tensor([0, count]),
            self.grid,
            channels=1,
            sigma=self.config.sigma,
            normalise="grid",
        ).volume
        label = int(self.labels[index])
        record = volume_record(volume, f"{self.name}:{index}", self.target, label)
        for other in TARGETS:
            if other != self.target:
                record[other] = torch.tensor([_MISSING])
        return record


def made_up_arrays(count: int, seed: int, classes: int = 10) -> dict[str, NDArray[Any]]:
    """Arrays of the form of the published files: random walks, wider for a higher class."""
    draw = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    n_atoms = draw.integers(20, 40, count)
    steps = draw.normal(size=(count, 40, 3))
    return {
        "n_atoms": n_atoms,
        "positions": (steps.cumsum(1) * (1 + 0.1 * labels)[:, None, None]).astype(np.float32),
        "labels": np.stack([labels, labels], axis=1),
        "split_start_indices": np.arange(_FOLDS) * (count // _FOLDS),
    }


def synthetic(count: int, seed: int) -> Dataset:
    """Random walks in place of domains."""
    arrays = made_up_arrays(max(count, _FOLDS), seed)
    return _dataset("made-up", arrays, CathData(side=17, step=4.0, sigma=4.0))
