"""Stability: every atom has exactly the bonds its element wants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch_geometric.data import Data

from intertwiner_enflow.molecules.bonds import VALENCES, bond_orders

__all__ = ["Stability", "stability", "stable_atoms"]


@dataclass(frozen=True, slots=True)
class Stability:
    """Counts over all molecules given, none left out."""

    atoms: int
    stable_atoms: int
    molecules: int
    stable_molecules: int

    @property
    def atom_share(self) -> float:
        return self.stable_atoms / max(1, self.atoms)

    @property
    def molecule_share(self) -> float:
        return self.stable_molecules / max(1, self.molecules)


def stable_atoms(z: Int[Tensor, " atoms"], pos: Float[Tensor, "atoms 3"]) -> Bool[Tensor, " atoms"]:
    """Whether the orders of an atom's bonds add up to a valence of its element."""
    totals = bond_orders(z, pos).sum(dim=1).tolist()
    return torch.tensor(
        [total in VALENCES[number] for number, total in zip(z.tolist(), totals, strict=True)],
        dtype=torch.bool,
    )


def stability(records: Sequence[Data]) -> Stability:
    """Atom and molecule stability of records with `z` and `pos` (angstrom)."""
    flags = [stable_atoms(record.z, record.pos) for record in records]
    return Stability(
        atoms=sum(len(flag) for flag in flags),
        stable_atoms=sum(int(flag.sum()) for flag in flags),
        molecules=len(flags),
        stable_molecules=sum(bool(flag.all()) for flag in flags),
    )
