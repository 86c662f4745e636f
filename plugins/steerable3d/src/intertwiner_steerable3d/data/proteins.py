"""Proteins as arrays: heavy atoms, residues, and the backbone that a residue's place follows from.

Elements are numbered C, N, O, S = 0..3; residue types in the alphabetical order of their full
names, ALA = 0 to VAL = 19, and -1 for every other residue.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

__all__ = ["AMINO_ACIDS", "ELEMENTS", "Proteins", "join", "virtual_carbon_beta"]

AMINO_ACIDS: Final = (
    *("ALA", "ARG", "ASN", "ASP", "CYS", "GLN", "GLU", "GLY", "HIS", "ILE"),
    *("LEU", "LYS", "MET", "PHE", "PRO", "SER", "THR", "TRP", "TYR", "VAL"),
)
ELEMENTS: Final = ("C", "N", "O", "S")

_PEPTIDE: Final = (1.8, 3.2)
"""Distance of C and N of one residue, in angstrom, outside which its backbone is broken."""


@dataclass(frozen=True, slots=True)
class Proteins:
    """Atoms and residues of all proteins, one after the other.

    pos: in angstrom. element: 0..3. residue: number of each atom's residue among all residues.
    amino_acid: 0..19, -1 for others. backbone: N, CA, C of every residue, NaN where missing.
    atom_ptr, residue_ptr: where each protein begins. names: of the proteins.
    """

    names: tuple[str, ...]
    pos: Float[Tensor, "atoms 3"]
    element: Int[Tensor, " atoms"]
    residue: Int[Tensor, " atoms"]
    amino_acid: Int[Tensor, " residues"]
    backbone: Float[Tensor, "residues 3 3"]
    atom_ptr: Int[Tensor, " proteins+1"]
    residue_ptr: Int[Tensor, " proteins+1"]

    def targets(self) -> Bool[Tensor, " residues"]:
        """Residues of the 20 types whose N, CA and C are there, C and N 1.8 to 3.2 apart."""
        span = (self.backbone[:, 2] - self.backbone[:, 0]).norm(dim=1)
        whole = torch.isfinite(self.backbone).flatten(1).all(dim=1)
        return whole & (self.amino_acid >= 0) & (span > _PEPTIDE[0]) & (span < _PEPTIDE[1])

    def owner(self) -> Int[Tensor, " residues"]:
        """The protein of every residue."""
        return torch.repeat_interleave(torch.arange(len(self.names)), self.residue_ptr.diff())


def virtual_carbon_beta(backbone: Float[Tensor, "residues 3 3"]) -> Float[Tensor, "residues 3"]:
    """Where the C-beta of an ideal residue is, whatever the residue's type.

    With b = CA - N, c = C - CA and a = b x c it is CA - 0.58273431 a + 0.56802827 b - 0.54067466 c
    (the usual idealisation of the tetrahedral geometry).
    """
    n, ca, c = backbone.unbind(1)
    b, c = ca - n, c - ca
    a = torch.linalg.cross(b, c)
    return ca - 0.58273431 * a + 0.56802827 * b - 0.54067466 * c


def join(parts: Sequence[Proteins]) -> Proteins:
    """Several sets as one."""
    residues = [0]
    atoms = [0]
    for part in parts:
        residues.append(residues[-1] + len(part.amino_acid))
        atoms.append(atoms[-1] + len(part.pos))
    zero = torch.zeros(1, dtype=torch.int64)
    pairs = list(zip(parts, residues[:-1], atoms[:-1], strict=True))
    return Proteins(
        names=tuple(name for part in parts for name in part.names),
        pos=torch.cat([part.pos for part in parts]),
        element=torch.cat([part.element for part in parts]),
        residue=torch.cat([part.residue + first for part, first, _ in pairs]),
        amino_acid=torch.cat([part.amino_acid for part in parts]),
        backbone=torch.cat([part.backbone for part in parts]),
        atom_ptr=torch.cat([zero, *(part.atom_ptr[1:] + first for part, _, first in pairs)]),
        residue_ptr=torch.cat([zero, *(part.residue_ptr[1:] + first for part, first, _ in pairs)]),
    )
