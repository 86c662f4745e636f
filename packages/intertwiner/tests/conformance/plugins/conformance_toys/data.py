"""Dimers with an invented energy, whole and spoilt."""

from __future__ import annotations

import numpy as np
import torch
from torch_geometric.data import Data

from intertwiner.data import Dataset
from intertwiner.errors import ConfigError


def dimer(generator: torch.Generator, number: int) -> Data:
    pos = torch.zeros(2, 3)
    pos[1, 0] = 1 + torch.rand((), generator=generator)
    return Data(pos=pos, z=torch.tensor([1, 8]), energy=-1 / pos[1, :1], name=f"dimer {number}")


def synthetic_dimers(count: int, seed: int) -> Dataset:
    generator = torch.Generator().manual_seed(seed)
    records = [dimer(generator, number) for number in range(count)]
    cuts = np.split(np.arange(count), [count // 2, 3 * count // 4])
    parts = dict(zip(("train", "validation", "test"), cuts, strict=True))
    return Dataset(records, {"random": parts}, (1, 8))


def dimers(config) -> Dataset:
    return synthetic_dimers(30, 5)


def own_files(config) -> Dataset:
    raise ConfigError("data.path: name a file")


def unseeded(count: int, seed: int) -> Dataset:
    return synthetic_dimers(count, torch.seed() % 1000)


def deaf(count: int, seed: int) -> Dataset:
    return synthetic_dimers(count, 0)


def spoilt(change):
    def make(count: int, seed: int) -> Dataset:
        dataset = synthetic_dimers(count, seed)
        change(dataset)
        return dataset

    return make


def _each(change):
    def apply(dataset) -> None:
        for record in dataset.records:
            change(record)

    return spoilt(apply)


def _leak(dataset) -> None:
    split = dataset.splits["random"]
    split["test"] = split["train"][:2]


double_energy = _each(lambda record: setattr(record, "energy", record.energy.double()))
wide_energy = _each(lambda record: setattr(record, "energy", record.energy[:, None]))
no_labels = _each(lambda record: setattr(record, "energy", record.energy * float("nan")))
no_energy = _each(lambda record: record.__delattr__("energy"))
leaking = spoilt(_leak)
headless = spoilt(lambda dataset: dataset.splits["random"].pop("test"))
unnamed_species = spoilt(lambda dataset: setattr(dataset, "species", (1,)))
