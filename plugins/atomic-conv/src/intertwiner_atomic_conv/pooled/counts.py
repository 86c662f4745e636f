"""Smooth cumulative counts of pairs across the interface, by element classes and shells.

    Phi[A, B, m] = sum over ligand atoms i of class A and protein atoms j of class B of step_m(r_ij)

step_m falls from 1 to 0 as half a cosine between a_m - w and a_m + w, w = 0.4 angstrom. Beside
them the 36 counts of RF-Score (Ballester and Mitchell 2010) with the same smooth step at 12
angstrom. Parts: 1 is the ligand, all others the protein. Hydrogens count nowhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from intertwiner_atomic_conv.kernels import Table, pair_counts

__all__ = [
    "RF_SCORE_FEATURES",
    "SHELLS",
    "SHELL_FEATURES",
    "Counts",
    "count_pairs",
    "heavy_atoms",
]

SHELLS: Final = (3.4, 4.0, 4.6, 5.5, 7.0, 9.0, 12.0)
"""angstrom."""
SOFTNESS: Final = 0.4
LIGAND, HYDROGEN = 1, 1
LIGAND_CLASSES: Final = ((6, 9, 16, 17, 35, 53), (7,), (8,))
PROTEIN_CLASSES: Final = ((6,), (7,), (8,), (16,))
"""And one more for all other elements, metals included."""
RF_LIGAND: Final = (6, 7, 8, 9, 15, 16, 17, 35, 53)
RF_PROTEIN: Final = (6, 7, 8, 16)

_SHELL_TABLE = Table(len(LIGAND_CLASSES), len(PROTEIN_CLASSES) + 1, SHELLS, SOFTNESS)
_RF_TABLE = Table(len(RF_LIGAND), len(RF_PROTEIN), SHELLS[-1:], SOFTNESS)
SHELL_FEATURES: Final = _SHELL_TABLE.features
RF_SCORE_FEATURES: Final = _RF_TABLE.features


def _classes(lists: tuple[tuple[int, ...], ...], rest: int = -1) -> Int[Tensor, " elements"]:
    """The class of every atomic number; `rest` for those in no list, -1 for hydrogen."""
    table = torch.full((119,), rest)
    for number, elements in enumerate(lists):
        table[list(elements)] = number
    table[HYDROGEN] = -1
    return table


_SHELL_CLASSES = _classes(LIGAND_CLASSES), _classes(PROTEIN_CLASSES, len(PROTEIN_CLASSES))
_RF_CLASSES = (
    _classes(tuple((z,) for z in RF_LIGAND)),
    _classes(tuple((z,) for z in RF_PROTEIN)),
)


@dataclass(frozen=True, slots=True)
class Counts:
    """shells [complexes, 105] and rf_score [complexes, 36]: counts; heavy_atoms [complexes]: of
    the ligand."""

    shells: Float[Tensor, "complexes 105"]
    rf_score: Float[Tensor, "complexes 36"]
    heavy_atoms: Float[Tensor, " complexes"]


def count_pairs(
    pos: Float[Tensor, "atoms 3"],
    z: Int[Tensor, " atoms"],
    part: Int[Tensor, " atoms"],
    ptr: Int[Tensor, " complexes+1"],
    weight: Float[Tensor, " atoms"] | None = None,
) -> Counts:
    """The counts of a batch; shells and rf_score are differentiable in `pos` (angstrom).

    ptr: first atom of each complex. weight: a pair counts as the mean of its atoms' weights, so
    that the derivative by the weight of an atom is half of what its pairs bring.
    """
    weight = pos.new_ones(len(pos)) if weight is None else weight
    ligand = part == LIGAND

    def counted(classes: tuple[Tensor, Tensor], table: Table) -> Tensor:
        of_ligand, of_protein = (numbers.to(z.device)[z] for numbers in classes)
        kind = torch.where(ligand, of_ligand, of_protein)
        side = torch.where(kind >= 0, ligand.long(), -1)
        return pair_counts(pos, weight, side, kind, ptr, table)

    return Counts(
        counted(_SHELL_CLASSES, _SHELL_TABLE),
        counted(_RF_CLASSES, _RF_TABLE),
        heavy_atoms(pos, z, part, ptr),
    )


def heavy_atoms(
    pos: Float[Tensor, "atoms 3"], z: Tensor, part: Tensor, ptr: Tensor
) -> Float[Tensor, " complexes"]:
    """How many atoms of each ligand are not hydrogens, in the precision of `pos`."""
    owners = torch.repeat_interleave(torch.arange(len(ptr) - 1, device=pos.device), ptr.diff())
    heavy = ((part == LIGAND) & (z != HYDROGEN)).to(pos.dtype)
    return pos.new_zeros(len(ptr) - 1).index_add(0, owners, heavy)
