"""`pair_counts` in plain torch: the definition, differentiable to any order."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["Table", "pair_counts", "pair_counts_examples"]

MARGIN = 0.01
"""Angstrom; rounding of scalar products stays far below it."""
Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Table:
    """What is counted: kinds of atoms of side 1 (rows) by those of side 0 (columns), within
    `radii` (angstrom, ascending), each falling to 0 over twice the softness."""

    rows: int
    columns: int
    radii: tuple[float, ...]
    softness: float

    @property
    def features(self) -> int:
        return self.rows * self.columns * len(self.radii)

    @property
    def reach(self) -> float:
        """Pairs farther apart count nothing."""
        return self.radii[-1] + self.softness


def pair_counts(
    pos: Float[Tensor, "atoms 3"],
    weight: Float[Tensor, " atoms"],
    side: Int[Tensor, " atoms"],
    kind: Int[Tensor, " atoms"],
    pointer: Int[Tensor, " complexes+1"],
    table: Table,
) -> Float[Tensor, "complexes features"]:
    """See `intertwiner_atomic_conv.kernels.pair_counts`."""
    first, second, owner = _pairs(pos, side, pointer, table.reach + MARGIN)
    distance = torch.linalg.vector_norm(pos[first] - pos[second], dim=1)
    share = 0.5 * (weight[first] + weight[second])
    steps = share.unsqueeze(1) * _steps(distance, table)
    row = (owner * table.rows + kind[first]) * table.columns + kind[second]
    complexes = len(pointer) - 1
    sums = steps.new_zeros(complexes * table.rows * table.columns, len(table.radii))
    return sums.index_add(0, row, steps).view(complexes, table.features)


def _pairs(pos: Tensor, side: Tensor, pointer: Tensor, reach: float) -> tuple[Tensor, ...]:
    """(atom of side 1, atom of side 0, complex) of every pair nearer than `reach`."""
    x, sides = pos.detach().cpu().numpy(), side.cpu().numpy()
    bounds = pairwise(pointer.tolist())
    found = [_close(x[a:b], sides[a:b], a, reach) for a, b in bounds]
    owner = np.repeat(np.arange(len(found)), [len(pairs[0]) for pairs in found])
    none = np.zeros(0, dtype=np.int64)
    ends = (np.concatenate([none, *(pairs[end] for pairs in found)]) for end in (0, 1))
    return tuple(torch.from_numpy(values).to(pos.device) for values in (*ends, owner))


def _close(x: NDArray[Any], side: Numbers, first: int, reach: float) -> tuple[Numbers, Numbers]:
    one, other = np.flatnonzero(side == 1), np.flatnonzero(side == 0)
    centre = x[one].mean(0) if len(one) else 0.0
    a, b = x[one] - centre, x[other] - centre
    square = (a * a).sum(1)[:, None] + (b * b).sum(1) - 2 * (a @ b.T)
    row, column = np.nonzero(square < reach**2)
    return one[row] + first, other[column] + first


def _steps(distance: Float[Tensor, " pairs"], table: Table) -> Float[Tensor, "pairs shells"]:
    middle = distance.new_tensor(table.radii)
    u = ((distance.unsqueeze(1) - middle) / (2 * table.softness) + 0.5).clamp(0.0, 1.0)
    return 0.5 * (1.0 + torch.cos(math.pi * u))


def pair_counts_examples(
    dtype: torch.dtype, device: torch.device, generator: torch.Generator
) -> list[tuple[Any, ...]]:
    """One shell and several, atoms on neither side, and a complex without pairs."""
    found = []
    for table in (Table(2, 3, (3.0, 3.6, 5.0), 0.4), Table(1, 1, (4.0,), 0.5)):
        drawn = torch.rand(45, 4, generator=generator, device=generator.device, dtype=dtype)
        side = torch.randint(-1, 2, (45,), generator=generator, device=device)
        side[40:] = 1
        kinds = torch.where(side == 1, table.rows, table.columns)
        kind = torch.randint(0, 6, (45,), generator=generator, device=device) % kinds
        pointer = torch.tensor([0, 18, 18, 40, 45], device=device)
        found.append((8.0 * drawn[:, :3], 0.5 + drawn[:, 3], side, kind, pointer, table))
    return found
