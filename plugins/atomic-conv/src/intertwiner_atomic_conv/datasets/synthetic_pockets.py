"""`synthetic-pockets`: ligands and pockets of points whose pair energy is known.

A ligand is a tree of 8 to 30 atoms with bonds of 1.45 angstrom, a pocket the points around it at
the density of proteins. Labels come from `pair_energy`, so that the interaction a network has
learned can be drawn over the true one. The label correlates with the ligand's size on purpose:
counting atoms reaches R^2 = .5 here, and a model that does no better has learned nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch_geometric.data import Data

from intertwiner.data import Dataset
from intertwiner.data.splits import random_split
from intertwiner_atomic_conv.affinity import KCAL_PER_PK
from intertwiner_atomic_conv.config import SyntheticPocketsConfig
from intertwiner_atomic_conv.datasets.pair_energy import ELEMENTS, total_energy

__all__ = ["Pocket", "load", "make_pocket", "synthetic"]

Points = NDArray[np.float64]
Numbers = NDArray[np.int64]

BOND, CLASH = 1.45, 2.25
LIGAND_SHARES = (0.72, 0.12, 0.13, 0.03)
POCKET_SHARES = (0.64, 0.17, 0.18, 0.01)
CANDIDATES = 3.2 * 0.05
"""Candidate points per cubic angstrom."""
SHELL, NEAREST, NEAREST_POLAR, APART = 8.0, 3.25, 2.6, 1.9
FRACTIONS = {"train": 0.7, "validation": 0.1, "test": 0.2}
POLAR = (1, 2)
"""Places of N and O in `ELEMENTS`."""


@dataclass(frozen=True, slots=True)
class Pocket:
    """x [n, 3] angstrom, ligand first; kind [n] places in `ELEMENTS`; part [n] 1 for the ligand."""

    x: Points
    kind: Numbers
    part: Numbers

    @property
    def energy(self) -> float:
        """kcal/mol, without noise."""
        return total_energy(self.x, self.kind, self.part)


def make_pocket(generator: np.random.Generator, shell: float = SHELL) -> Pocket:
    """One ligand in its pocket; shell: how far the pocket reaches, angstrom."""
    ligand = _tree(int(generator.integers(8, 31)), generator)
    ligand_kind = generator.choice(4, len(ligand), p=LIGAND_SHARES)
    pocket, pocket_kind = _surroundings(ligand, ligand_kind, shell, generator)
    part = np.repeat([1, 0], [len(ligand), len(pocket)])
    kind = np.concatenate([ligand_kind, pocket_kind])
    return Pocket(np.concatenate([ligand, pocket]), kind, part)


def _tree(count: int, generator: np.random.Generator) -> Points:
    """Points that each hang on one of the last five (or any), none nearer than `CLASH`."""
    placed = np.zeros((count, 3))
    size = 1
    while size < count:
        recent = generator.random() < 0.8
        parent = int(generator.integers(max(0, size - 5) if recent else 0, size))
        direction = generator.normal(size=3)
        site = placed[parent] + BOND * direction / np.linalg.norm(direction)
        square = ((placed[:size] - site) ** 2).sum(1)
        square[parent] = np.inf
        if square.min() >= CLASH**2:
            placed[size] = site
            size += 1
    return placed


def _surroundings(
    ligand: Points, ligand_kind: Numbers, shell: float, generator: np.random.Generator
) -> tuple[Points, Numbers]:
    low, high = ligand.min(0) - shell, ligand.max(0) + shell
    count = generator.poisson(CANDIDATES * float(np.prod(high - low)))
    sites = generator.uniform(low, high, size=(count, 3))
    kinds = generator.choice(4, count, p=POCKET_SHARES)
    square = (sites**2).sum(1)[:, None] + (ligand**2).sum(1)[None] - 2 * sites @ ligand.T
    closest = square.argmin(1)
    distance = np.sqrt(np.maximum(square.min(1), 0.0))
    polar = np.isin(kinds, POLAR) & np.isin(ligand_kind[closest], POLAR)
    kept = (distance < shell) & (distance > np.where(polar, NEAREST_POLAR, NEAREST))
    sites, kinds = sites[kept], kinds[kept]
    chosen = _thinned(sites)
    return sites[chosen], kinds[chosen]


def _thinned(sites: Points) -> Numbers:
    """Numbers of sites, taken in order, none nearer than `APART` to one taken before."""
    square = (sites**2).sum(1)
    near = square[:, None] + square[None] - 2 * sites @ sites.T < APART**2
    open_ = np.ones(len(sites), dtype=bool)
    taken = []
    for number in range(len(sites)):
        if open_[number]:
            taken.append(number)
            open_ &= ~near[number]
    return np.array(taken, dtype=np.int64)


def _record(number: int, seed: int, noise: float) -> Data:
    generator = np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, number])))
    pocket = make_pocket(generator)
    true = -pocket.energy / KCAL_PER_PK
    pk = true + noise * float(generator.normal())
    return Data(
        pos=torch.from_numpy(pocket.x).float(),
        z=torch.tensor(ELEMENTS)[torch.from_numpy(pocket.kind)],
        part=torch.from_numpy(pocket.part),
        pK=torch.tensor([pk], dtype=torch.float32),
        dG=torch.tensor([-KCAL_PER_PK * pk], dtype=torch.float32),
        pK_true=torch.tensor([true], dtype=torch.float32),
        name=f"pocket-{number}",
    )


def load(config: SyntheticPocketsConfig) -> Dataset:
    """`config.count` pockets with a random split; the same seed gives the same records."""
    records = [_record(number, config.seed, config.noise) for number in range(config.count)]
    splits = {"random": random_split(len(records), FRACTIONS, config.seed)}
    return Dataset(records, splits, ELEMENTS)


def synthetic(count: int, seed: int) -> Dataset:
    """A few pockets."""
    return load(SyntheticPocketsConfig(count=max(count, 20), seed=seed))
