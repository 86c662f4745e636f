"""Tetris: which of eight pieces a volume shows, at rotations that were never trained on."""

from __future__ import annotations

import numpy as np
import torch
from torch_geometric.data import Data

from intertwiner.data import Dataset
from intertwiner_steerable3d.data.config import TetrisData
from intertwiner_steerable3d.data.pieces import PIECES, blobs, cubes
from intertwiner_steerable3d.data.rotations import random_rotations
from intertwiner_steerable3d.data.volumes import volume_record
from intertwiner_steerable3d.errors import InvalidSetting

__all__ = ["load", "synthetic"]

_PARTS = ("train", "validation", "test", "still")
"""Each with random numbers of its own; "still" are the pieces as they stand."""


def load(config: TetrisData) -> Dataset:
    """All volumes; the split "unrotated" tests on the pieces as the list has them.

    Raises `InvalidSetting` for a grid that cannot hold the pieces.
    """
    side, reach = config.side, 3 * config.spacing / 2 + 2 * config.sigma
    if config.mode == "analytic" and side < 2 * reach:
        raise InvalidSetting(
            f"data.side: {side} voxels cannot hold pieces with spacing {config.spacing} and sigma "
            f"{config.sigma}; use {int(2 * reach) + 1} or more"
        )
    counts = (config.rotations, config.other_rotations, config.other_rotations, 1)
    records: list[Data] = []
    numbers = {}
    for part, count in zip(_PARTS, counts, strict=True):
        first = len(records)
        records += _part(part, count, config)
        numbers[part] = np.arange(first, len(records))
    turned = {part: numbers[part] for part in _PARTS[:3]}
    return Dataset(records, {"random": turned, "unrotated": {**turned, "test": numbers["still"]}})


def _part(part: str, count: int, config: TetrisData) -> list[Data]:
    draw = torch.Generator().manual_seed(len(_PARTS) * config.seed + _PARTS.index(part))
    rotations = random_rotations(count * len(PIECES), draw)
    shifts = torch.rand(count * len(PIECES), 3, generator=draw, dtype=torch.float64) - 0.5
    if part == "still":
        rotations, shifts = torch.eye(3).double().expand_as(rotations), 0 * shifts
    records = []
    for number in range(count):
        for label, piece in enumerate(PIECES):
            index = number * len(PIECES) + label
            if config.mode == "paper":
                volume = cubes(piece, rotations[index])
            else:
                volume = blobs(
                    piece,
                    rotations[index],
                    shifts[index],
                    side=config.side,
                    spacing=config.spacing,
                    sigma=config.sigma,
                )
            records.append(volume_record(volume, f"{piece} {part} {number}", "piece", label))
    return records


def synthetic(count: int, seed: int) -> Dataset:
    """About `count` small volumes of the same kind."""
    rotations = max(1, count // (3 * len(PIECES)))
    return load(TetrisData(seed=seed, rotations=rotations, other_rotations=rotations))
