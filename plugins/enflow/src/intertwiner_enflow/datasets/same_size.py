"""Molecules of one size, from any installed dataset of molecules."""

from __future__ import annotations

from collections import Counter

import numpy as np
import torch
from torch_geometric.data import Data

from intertwiner.config import build
from intertwiner.data import Dataset
from intertwiner.data.splits import random_split
from intertwiner.errors import ConfigError, LookupFailed
from intertwiner.registry import load_registry
from intertwiner.specs import load_target
from intertwiner_enflow.datasets.config import SameSizeConfig

__all__ = ["load", "synthetic"]

_ATOMS = 15
_ELEMENTS = (1, 6, 7, 8)


def load(config: SameSizeConfig) -> Dataset:
    """The records of `config.of` that have `config.atoms` atoms, in the parts they had there.

    Only positions (centred) and elements are kept. Raises `ConfigError` when the dataset is not
    installed, or a part has no molecule of that size.
    """
    try:
        entry = load_registry().dataset(config.of)
    except LookupFailed as error:
        raise ConfigError(f"data.of: {error}") from error
    settings = build(load_target(entry.spec.config), {"split": config.split})
    source: Dataset = load_target(entry.spec.target)(settings)
    sizes = [int(record.num_nodes) for record in source]
    chosen = [number for number, size in enumerate(sizes) if size == config.atoms]
    place = {number: new for new, number in enumerate(chosen)}
    split = {
        part: np.array([place[n] for n in numbers.tolist() if n in place], dtype=np.int64)
        for part, numbers in source.splits[config.split].items()
    }
    for part, numbers in split.items():
        if not len(numbers):
            usual = ", ".join(f"{size} ({n})" for size, n in Counter(sizes).most_common(5))
            raise ConfigError(
                f"data.atoms={config.atoms}: {entry.id} has no such molecule in {part!r}; "
                f"sizes that are frequent: {usual}"
            )
    records = [_record(source[number]) for number in chosen]
    return Dataset(records, {config.split: split}, species=source.species)


def synthetic(count: int, seed: int) -> Dataset:
    """Atoms at random on a jittered grid, 15 in each record."""
    generator = torch.Generator().manual_seed(seed)
    side = 1.5 * torch.arange(3.0)
    grid = torch.cartesian_prod(side, side, side)
    records = []
    for number in range(count):
        places = grid[torch.randperm(len(grid), generator=generator)[:_ATOMS]]
        pos = places + 0.2 * torch.randn(_ATOMS, 3, generator=generator)
        drawn = torch.randint(len(_ELEMENTS), (_ATOMS,), generator=generator)
        record = Data(pos=pos, z=torch.tensor(_ELEMENTS)[drawn], name=f"cloud-{number}")
        records.append(_record(record))
    split = random_split(count, {"train": 0.6, "validation": 0.2, "test": 0.2}, seed)
    return Dataset(records, {"random": split}, species=_ELEMENTS)


def _record(record: Data) -> Data:
    pos = record.pos - record.pos.mean(dim=0)
    return Data(pos=pos, z=record.z, name=record.name, num_nodes=len(pos))
