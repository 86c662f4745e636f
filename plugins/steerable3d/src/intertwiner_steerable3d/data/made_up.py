"""Made-up proteins: ideal helices with random residues, for tests and as a stand-in."""

from __future__ import annotations

import math
from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor

from intertwiner_steerable3d.data.archive import ProteinSplit
from intertwiner_steerable3d.data.proteins import AMINO_ACIDS, Proteins, join, virtual_carbon_beta
from intertwiner_steerable3d.data.rotations import random_rotations

__all__ = ["helix", "made_up_proteins"]

LENGTH: Final = 8
"""Residues of each."""

_HELIX: Final = {"N": (1.55, -27.3, -0.86), "CA": (2.28, 0.0, 0.0), "C": (1.67, 26.1, 1.17)}
"""Radius, angle and height of the backbone in an alpha-helix: angstrom, degrees, angstrom."""

_OXYGEN: Final = (1.97, 30.0, 2.37)
_TURN, _RISE = 100.0, 1.5


def helix(name: str, residues: int, generator: torch.Generator) -> Proteins:
    """N, CA, C, O and C-beta of an alpha-helix with random types, somewhere in space."""
    atoms = [_strand(*place, residues) for place in (*_HELIX.values(), _OXYGEN)]
    backbone = torch.stack(atoms[:3], dim=1)
    beta = virtual_carbon_beta(backbone)
    pos = torch.cat([torch.stack(atoms, dim=1), beta[:, None]], dim=1)
    rotation = random_rotations(1, generator)[0].float()
    pos = pos @ rotation.T + 0.3 * torch.randn(residues, 1, 3, generator=generator)
    return Proteins(
        names=(name,),
        pos=pos.flatten(0, 1),
        element=torch.tensor([1, 0, 0, 2, 0]).repeat(residues),
        residue=torch.arange(residues).repeat_interleave(5),
        amino_acid=torch.randint(len(AMINO_ACIDS), (residues,), generator=generator),
        backbone=pos[:, :3].clone(),
        atom_ptr=torch.tensor([0, 5 * residues]),
        residue_ptr=torch.tensor([0, residues]),
    )


def _strand(
    radius: float, degrees: float, height: float, residues: int
) -> Float[Tensor, "residues 3"]:
    number = torch.arange(residues)
    angle = (degrees + _TURN * number) * math.pi / 180
    return torch.stack([radius * angle.cos(), radius * angle.sin(), height + _RISE * number], dim=1)


def made_up_proteins(residues: int, seed: int) -> tuple[Proteins, ProteinSplit]:
    """Helices with about `residues` residues together, at least three; each its own cluster."""
    draw = torch.Generator().manual_seed(seed)
    count = max(3, -(-residues // LENGTH))
    proteins = join([helix(f"helix-{number}", LENGTH, draw) for number in range(count)])
    part = torch.zeros(count, dtype=torch.int64)
    part[-2], part[-1] = 1, 2
    return proteins, ProteinSplit(part, torch.arange(count))
