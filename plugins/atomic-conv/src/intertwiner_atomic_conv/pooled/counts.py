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
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["RANGE", "RF_SCORE_FEATURES", "SHELLS", "SHELL_FEATURES", "Counts", "count_pairs"]

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


def count_pairs(
    pos: Float[Tensor, "atoms 3"],
    z: Tensor,
    part: Tensor,
    ptr: Tensor,
    weight: Float[Tensor, " atoms"] | None = None,
) -> Counts:
    """The counts of a batch, differentiable in `pos` (angstrom).

    z, part [atoms]; ptr [complexes + 1]: first atom of each complex. weight: of every
    atom in its pairs, by which the counts can be differentiated too.
    """
    x, elements, parts = (tensor.detach().cpu().numpy() for tensor in (pos, z, part))
    bounds = ptr.tolist()
    found = [_close_pairs(x[a:b], elements[a:b], parts[a:b], a) for a, b in pairwise(bounds)]
    sizes = [len(pairs[0]) for pairs in found]
    owner = np.repeat(np.arange(len(found)), sizes)
    ligand, protein = (np.concatenate([pairs[side] for pairs in found]) for side in (0, 1))
    ends = [torch.from_numpy(end).to(pos.device) for end in (ligand, protein)]
    distance = torch.linalg.vector_norm(pos[ends[0]] - pos[ends[1]], dim=1)
    first, second = elements[ligand], elements[protein]
    complexes = len(bounds) - 1
    bins = _LIGAND[first], _PROTEIN[second], len(PROTEIN_CLASSES) + 1
    share = 1.0 if weight is None else (weight[ends[0]] * weight[ends[1]]).unsqueeze(1)
    shells = _summed(_steps(distance, SHELLS) * share, *bins, owner, complexes, KINDS)
    bins = _RF_LIGAND[first], _RF_PROTEIN[second], len(RF_PROTEIN)
    last = _steps(distance, SHELLS[-1:]) * share
    rf_score = _summed(last, *bins, owner, complexes, RF_SCORE_FEATURES)
    heavy = (part == LIGAND) & (z != HYDROGEN)
    owners = torch.repeat_interleave(torch.arange(complexes, device=pos.device), ptr.diff())
    atoms = pos.new_zeros(complexes).index_add(0, owners, heavy.to(pos.dtype))
    return Counts(shells, rf_score, atoms)


def _close_pairs(x: NDArray[Any], z: Numbers, part: Numbers, first: int) -> tuple[Numbers, Numbers]:
    """Pairs nearer than `SEARCHED`, numbered in the batch; those beyond `RANGE` count nothing."""
    heavy = z != HYDROGEN
    ligand, protein = np.flatnonzero((part == 1) & heavy), np.flatnonzero((part != 1) & heavy)
    centre = x[ligand].mean(0) if len(ligand) else 0.0
    a, b = x[ligand] - centre, x[protein] - centre
    square = (a * a).sum(1)[:, None] + (b * b).sum(1) - 2 * (a @ b.T)
    row, column = np.nonzero(square < SEARCHED**2)
    return ligand[row] + first, protein[column] + first


def _steps(distance: Float[Tensor, " pairs"], ends: tuple[float, ...]) -> Float[Tensor, "pairs m"]:
    middle = distance.new_tensor(ends)
    x = ((distance.unsqueeze(1) - middle) / (2 * SOFTNESS) + 0.5).clamp(0.0, 1.0)
    return 0.5 * (1.0 + torch.cos(math.pi * x))


def _summed(
    steps: Tensor,
    ligand: Numbers,
    protein: Numbers,
    width: int,
    owner: Numbers,
    complexes: int,
    kinds: int,
) -> Float[Tensor, "complexes features"]:
    """Steps added up by complex and pair of classes; class -1 is left out."""
    used = (ligand >= 0) & (protein >= 0)
    bins = owner * kinds + ligand * width + protein
    chosen = torch.from_numpy(np.flatnonzero(used)).to(steps.device)
    rows = torch.from_numpy(bins[used]).to(steps.device)
    sums = steps.new_zeros(complexes * kinds, steps.shape[1]).index_add(0, rows, steps[chosen])
    return sums.view(complexes, -1)
