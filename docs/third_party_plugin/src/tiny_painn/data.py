"""Clusters of ions, made where they are used, with an energy and a dipole known exactly."""

from __future__ import annotations

import torch
from intertwiner.data import Dataset
from intertwiner.data.splits import random_split
from jaxtyping import Float, Int
from torch import Tensor
from torch_geometric.data import Data

from tiny_painn.config import IonsConfig

__all__ = ["dipole", "energy", "ions", "synthetic_ions"]

SODIUM, CHLORINE = 11, 17
COULOMB = 14.3996
"""e^2 / (4 pi epsilon_0) in eV angstrom."""
WALL = 2.0
"""Distance at which the repulsion of two ions is as large as their charges' energy, angstrom."""


def charges(z: Int[Tensor, " nodes"]) -> Float[Tensor, " nodes"]:
    """+1 for sodium and -1 for chlorine, in e."""
    return torch.where(z == SODIUM, 1.0, -1.0)


def energy(pos: Float[Tensor, "nodes 3"], z: Int[Tensor, " nodes"]) -> Float[Tensor, ""]:
    """sum over pairs of C q_i q_j / r + C / r (WALL / r)^8, in eV."""
    i, j = torch.triu_indices(len(z), len(z), offset=1)
    r = (pos[i] - pos[j]).norm(dim=1)
    q = charges(z)
    total: Tensor = (COULOMB / r * (q[i] * q[j] + (WALL / r) ** 8)).sum()
    return total


def dipole(pos: Float[Tensor, "nodes 3"], z: Int[Tensor, " nodes"]) -> Float[Tensor, " 3"]:
    """sum over ions of q_i (x_i - centre), in e angstrom."""
    return charges(z) @ (pos - pos.mean(dim=0))


def ions(config: IonsConfig) -> Dataset:
    return _dataset(config.count, config.spread, seed=0)


def synthetic_ions(count: int, seed: int) -> Dataset:
    """A small stand-in of the same form, for tests."""
    return _dataset(max(count, 10), IonsConfig().spread, seed)


def _dataset(count: int, spread: float, seed: int) -> Dataset:
    generator = torch.Generator().manual_seed(seed)
    records = [_record(number, spread, generator) for number in range(count)]
    parts = {"train": 0.8, "validation": 0.1, "test": 0.1}
    return Dataset(records, {"random": random_split(count, parts, seed)}, (SODIUM, CHLORINE))


def _record(number: int, spread: float, generator: torch.Generator) -> Data:
    nodes = 3 + number % 4
    pos = _spaced(nodes, spread, generator)
    z = torch.tensor([SODIUM, CHLORINE])[torch.randint(2, (nodes,), generator=generator)]
    labels = {"energy": energy(pos, z).reshape(1), "dipole": dipole(pos, z).reshape(1, 3)}
    return Data(pos=pos, z=z, name=f"ions-{number}", **labels)


def _spaced(nodes: int, spread: float, generator: torch.Generator) -> Float[Tensor, "nodes 3"]:
    """Random positions, drawn again until no two are nearer than 2 angstrom."""
    while True:
        pos = spread * torch.randn(nodes, 3, generator=generator)
        if float(torch.pdist(pos).min()) > 2:
            return pos
