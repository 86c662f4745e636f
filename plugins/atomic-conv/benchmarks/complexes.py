"""Complexes to measure on: real ones where the file is at hand, generated pockets otherwise.

`INTERTWINER_COMPLEXES` names the file of the FEP benchmark complexes.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import torch
from torch_geometric.data import Data

from intertwiner_atomic_conv.datasets.pair_energy import ELEMENTS
from intertwiner_atomic_conv.datasets.synthetic_pockets import make_pocket

__all__ = ["complexes", "source"]

DEFAULT = Path(__file__).parents[4] / "shared" / "data" / "complexes" / "complexes_open.npz"


def source() -> Path | None:
    """The file of real complexes, None when there is none."""
    path = Path(os.environ.get("INTERTWINER_COMPLEXES", DEFAULT))
    return path if path.exists() else None


def complexes(count: int, radius: float) -> list[Data]:
    """`count` complexes with the pocket atoms nearer than `radius` angstrom to the ligand."""
    path = source()
    return _real(path, count, radius) if path else _generated(count, radius)


def _generated(count: int, radius: float) -> list[Data]:
    generator = np.random.default_rng(0)
    records = []
    for _ in range(count):
        pocket = make_pocket(generator, shell=radius)
        z = np.array(ELEMENTS)[pocket.kind]
        records.append(_record(pocket.x, z, pocket.part))
    return records


def _real(path: Path, count: int, radius: float) -> list[Data]:
    with np.load(path, allow_pickle=False) as file:
        data = {name: file[name] for name in file if name[:3] in ("lig", "poc")}
    chosen = np.random.default_rng(0).permutation(len(data["lig_ptr"]) - 1)[:count]
    records = []
    for number in chosen:
        ligand = slice(*data["lig_ptr"][number : number + 2])
        pocket = slice(*data["poc_ptr"][number : number + 2])
        x, y = data["lig_x"][ligand] / 1000, data["poc_x"][pocket] / 1000
        near = ((y[:, None] - x[None]) ** 2).sum(-1).min(1) < radius**2
        z = np.concatenate([data["lig_z"][ligand], data["poc_z"][pocket][near]]).astype(np.int64)
        part = np.repeat([1, 0], [len(x), int(near.sum())])
        records.append(_record(np.concatenate([x, y[near]]), z, part))
    return records


def _record(x, z, part) -> Data:
    return Data(
        pos=torch.from_numpy(x).float(),
        z=torch.from_numpy(z.astype(np.int64)),
        part=torch.from_numpy(part.astype(np.int64)),
        pK=torch.tensor([6.0]),
        name="complex",
    )
