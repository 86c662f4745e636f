"""Smooth cumulative counts of pairs across the interface, by element classes and shells.

    Phi[A, B, m] = sum over ligand atoms i of class A and protein atoms j of class B of step_m(r_ij)

step_m falls from 1 to 0 as half a cosine between a_m - w and a_m + w, w = 0.4 angstrom. Beside
them the 36 counts of RF-Score (Ballester and Mitchell 2010) with the same smooth step at 12
angstrom. Parts: 1 is the ligand, all others the protein. Hydrogens count nowhere.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor

__all__ = [
    "RANGE",
    "RF_SCORE_FEATURES",
    "SHELLS",
    "SHELL_FEATURES",
    "Counts",
    "PairSteps",
    "count_pairs",
    "heavy_atoms",
    "pair_steps",
]

SHELLS: Final = (3.4, 4.0, 4.6, 5.5, 7.0, 9.0, 12.0)
"""angstrom."""
SOFTNESS: Final = 0.4
RANGE: Final = SHELLS[-1] + SOFTNESS
SEARCHED: Final = RANGE + 0.01
"""Rounding of scalar products stays far below the margin."""
LIGAND, HYDROGEN = 1, 1
LIGAND_CLASSES: Final = ((6, 9, 16, 17, 35, 53), (7,), (8,))
PROTEIN_CLASSES: Final = ((6,), (7,), (8,), (16,))
"""And one more for all other elements, metals included."""
RF_LIGAND: Final = (6, 7, 8, 9, 15, 16, 17, 35, 53)
RF_PROTEIN: Final = (6, 7, 8, 16)
KINDS = len(LIGAND_CLASSES) * (len(PROTEIN_CLASSES) + 1)
SHELL_FEATURES: Final = KINDS * len(SHELLS)
RF_SCORE_FEATURES: Final = len(RF_LIGAND) * len(RF_PROTEIN)

Numbers = NDArray[np.int64]


def _table(classes: tuple[tuple[int, ...], ...], rest: int) -> Numbers:
    table = np.full(119, rest, dtype=np.int64)
    for number, elements in enumerate(classes):
        table[list(elements)] = number
    return table


_LIGAND = _table(LIGAND_CLASSES, -1)
_PROTEIN = _table(PROTEIN_CLASSES, len(PROTEIN_CLASSES))
_RF_LIGAND = _table(tuple((z,) for z in RF_LIGAND), -1)
_RF_PROTEIN = _table(tuple((z,) for z in RF_PROTEIN), -1)


@dataclass(frozen=True, slots=True)
class Counts:
    """shells [complexes, 105] and rf_score [complexes, 36]: counts; heavy_atoms [complexes]: of
    the ligand."""

    shells: Float[Tensor, "complexes 105"]
    rf_score: Float[Tensor, "complexes 36"]
    heavy_atoms: Float[Tensor, " complexes"]


@dataclass(frozen=True, slots=True)
class PairSteps:
    """Pairs in reach: their atoms in the batch, the value of each step [pairs, 7], and the row of
    the shells' and of RF-Score's table each pair counts in, -1 for none."""

    ligand: Int[Tensor, " pairs"]
    protein: Int[Tensor, " pairs"]
    steps: Float[Tensor, "pairs 7"]
    shell_row: Int[Tensor, " pairs"]
    rf_row: Int[Tensor, " pairs"]
    complexes: int

    def shells(self) -> Float[Tensor, "complexes 105"]:
        return _summed(self.steps, self.shell_row, self.complexes, KINDS)

    def rf_score(self) -> Float[Tensor, "complexes 36"]:
        return _summed(self.steps[:, -1:], self.rf_row, self.complexes, RF_SCORE_FEATURES)

    def shares(
        self, atoms: int, shells: Float[Tensor, "complexes 105"], rf_score: Tensor
    ) -> Float[Tensor, " atoms"]:
        """What each atom's pairs bring, given what one count of each kind brings; both atoms of a
        pair get half."""
        by_shell = torch.cat([shells.reshape(-1, len(SHELLS)), shells.new_zeros(1, len(SHELLS))])
        by_rf = torch.cat([rf_score.reshape(-1), rf_score.new_zeros(1)])
        value = (self.steps * by_shell[self.shell_row]).sum(1)
        value = 0.5 * (value + self.steps[:, -1] * by_rf[self.rf_row])
        out = value.new_zeros(atoms).index_add(0, self.ligand, value)
        return out.index_add(0, self.protein, value)


def pair_steps(pos: Float[Tensor, "atoms 3"], z: Tensor, part: Tensor, ptr: Tensor) -> PairSteps:
    """The pairs of a batch, steps differentiable in `pos` (angstrom).

    z, part [atoms]; ptr [complexes + 1]: first atom of each complex.
    """
    x, elements, parts = (tensor.detach().cpu().numpy() for tensor in (pos, z, part))
    bounds = ptr.tolist()
    found = [_close_pairs(x[a:b], elements[a:b], parts[a:b], a) for a, b in pairwise(bounds)]
    owner = np.repeat(np.arange(len(found)), [len(pairs[0]) for pairs in found])
    ligand, protein = (np.concatenate([pairs[side] for pairs in found]) for side in (0, 1))
    first, second = elements[ligand], elements[protein]
    classes = _LIGAND[first], _PROTEIN[second], len(PROTEIN_CLASSES) + 1
    rf_classes = _RF_LIGAND[first], _RF_PROTEIN[second], len(RF_PROTEIN)
    rows = _rows(*classes, owner * KINDS), _rows(*rf_classes, owner * RF_SCORE_FEATURES)
    numbers = (torch.from_numpy(values).to(pos.device) for values in (ligand, protein, *rows))
    ends = next(numbers), next(numbers)
    distance = torch.linalg.vector_norm(pos[ends[0]] - pos[ends[1]], dim=1)
    return PairSteps(*ends, _steps(distance), next(numbers), next(numbers), len(found))


def count_pairs(pos: Float[Tensor, "atoms 3"], z: Tensor, part: Tensor, ptr: Tensor) -> Counts:
    """The counts of a batch, as `pair_steps`."""
    pairs = pair_steps(pos, z, part, ptr)
    return Counts(pairs.shells(), pairs.rf_score(), heavy_atoms(pos, z, part, ptr))


def heavy_atoms(
    pos: Float[Tensor, "atoms 3"], z: Tensor, part: Tensor, ptr: Tensor
) -> Float[Tensor, " complexes"]:
    """How many atoms of each ligand are not hydrogens, in the precision of `pos`."""
    owners = torch.repeat_interleave(torch.arange(len(ptr) - 1, device=pos.device), ptr.diff())
    heavy = ((part == LIGAND) & (z != HYDROGEN)).to(pos.dtype)
    return pos.new_zeros(len(ptr) - 1).index_add(0, owners, heavy)


def _close_pairs(x: NDArray[Any], z: Numbers, part: Numbers, first: int) -> tuple[Numbers, Numbers]:
    """Pairs nearer than `SEARCHED`, numbered in the batch; those beyond `RANGE` count nothing."""
    heavy = z != HYDROGEN
    ligand, protein = np.flatnonzero((part == 1) & heavy), np.flatnonzero((part != 1) & heavy)
    centre = x[ligand].mean(0) if len(ligand) else 0.0
    a, b = x[ligand] - centre, x[protein] - centre
    square = (a * a).sum(1)[:, None] + (b * b).sum(1) - 2 * (a @ b.T)
    row, column = np.nonzero(square < SEARCHED**2)
    return ligand[row] + first, protein[column] + first


def _steps(distance: Float[Tensor, " pairs"]) -> Float[Tensor, "pairs 7"]:
    middle = distance.new_tensor(SHELLS)
    x = ((distance.unsqueeze(1) - middle) / (2 * SOFTNESS) + 0.5).clamp(0.0, 1.0)
    return 0.5 * (1.0 + torch.cos(math.pi * x))


def _rows(ligand: Numbers, protein: Numbers, width: int, first: Numbers) -> Numbers:
    """The row of each pair's classes; -1 where either has none."""
    return np.where((ligand >= 0) & (protein >= 0), first + ligand * width + protein, -1)


def _summed(
    steps: Float[Tensor, "pairs m"], row: Int[Tensor, " pairs"], complexes: int, kinds: int
) -> Float[Tensor, "complexes features"]:
    """Steps added up by row; those of row -1 fall into a last one that is left out."""
    rows = complexes * kinds
    sums = steps.new_zeros(rows + 1, steps.shape[1])
    return sums.index_add(0, row.remainder(rows + 1), steps)[:rows].view(complexes, -1)
