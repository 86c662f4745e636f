from __future__ import annotations

from pathlib import Path

import torch
from torch_geometric.data import Data

from intertwiner.data import Dataset
from intertwiner.data.splits import random_split
from intertwiner.errors import DataError
from toy_plugin.config import FlatConfig, NoSettings, PairsConfig


def _record(number: int, generator: torch.Generator) -> Data:
    count = 2 + number % 4
    pos = torch.randn(count, 3, generator=generator)
    size = (pos - pos.mean(dim=0)).square().sum(dim=1).mean()
    z = torch.tensor([1, 6, 8])[torch.randint(3, (count,), generator=generator)]
    return Data(pos=pos, z=z, extent=size.reshape(1), name=f"pair-{number}", num_nodes=count)


def _dataset(count: int, seed: int) -> Dataset:
    generator = torch.Generator().manual_seed(seed)
    records = [_record(number, generator) for number in range(count)]
    parts = {"train": 0.8, "validation": 0.1, "test": 0.1}
    return Dataset(records, {"random": random_split(count, parts, seed)}, (1, 6, 8))


def pairs(config: PairsConfig) -> Dataset:
    dataset = _dataset(config.count, 0)
    if config.poison is not None:
        record = dataset.records[int(dataset.splits["random"]["train"][config.poison])]
        record.pos = record.pos * 1e30
    return dataset


def synthetic(count: int, seed: int) -> Dataset:
    return _dataset(max(count, 10), seed)


def synthetic_flat(count: int, seed: int) -> Dataset:
    generator = torch.Generator().manual_seed(seed)
    records = []
    for number in range(max(count, 10)):
        pos = 3 * torch.randn(4, 2, generator=generator)
        records.append(Data(pos=pos, z=torch.zeros(4, dtype=torch.long), name=f"flat-{number}"))
    parts = {"train": 0.8, "validation": 0.1, "test": 0.1}
    return Dataset(records, {"random": random_split(len(records), parts, seed)}, (0,))


def flat(config: FlatConfig) -> Dataset:
    return synthetic_flat(200, 0)


class PointsReader:
    def __init__(self, config: NoSettings) -> None:
        self.config = config

    def __call__(self, path: Path) -> list[Data]:
        try:
            rows = [
                [float(word) for word in line.split()] for line in path.read_text().splitlines()
            ]
            pos = torch.tensor(rows).reshape(len(rows), 3)
        except (ValueError, RuntimeError, OSError) as error:
            raise DataError(f"{path}: not points: {error}") from error
        if not rows:
            raise DataError(f"{path}: no points; write one x y z per line")
        z = torch.ones(len(rows), dtype=torch.long)
        return [Data(pos=pos, z=z, name=path.stem, num_nodes=len(rows))]


class Shift:
    """An adapter that moves everything by one along x."""

    def __init__(self, config: NoSettings) -> None:
        self.config = config

    def __call__(self, record: Data) -> Data:
        moved = record.clone()
        moved.pos = record.pos + torch.tensor([1.0, 0.0, 0.0])
        return moved
