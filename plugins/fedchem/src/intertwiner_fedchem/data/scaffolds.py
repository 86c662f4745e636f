"""Bemis-Murcko scaffolds (extra `chem`) and their numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, rdBase
from rdkit.Chem.Scaffolds import MurckoScaffold

__all__ = ["coarse_group", "identity_of", "number_by_appearance", "scaffold_of"]


def scaffold_of(molecule: Any) -> str:
    """SMILES of rings and the chains between them, without chirality; "" without a ring.

    Bemis and Murcko, J. Med. Chem. 39, 2887 (1996).
    """
    with rdBase.BlockLogs():
        scaffold = MurckoScaffold.MurckoScaffoldSmiles(mol=molecule, includeChirality=False)
    return str(scaffold)


def number_by_appearance(keys: Sequence[str]) -> NDArray[np.int64]:
    """0 for the first key and all equal to it, 1 for the next that is new, and so on."""
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.int64)


def coarse_group(scaffold: str) -> str:
    """Ring count, whether a bond is aromatic, and size in sixes: scaffolds so near each other that
    most groups have many molecules, where most scaffolds have one.
    """
    with rdBase.BlockLogs():
        molecule = Chem.MolFromSmiles(scaffold, sanitize=False)
        molecule.UpdatePropertyCache(strict=False)
        Chem.FastFindRings(molecule)
        rings = molecule.GetRingInfo().NumRings()
        aromatic = any(atom.GetIsAromatic() for atom in molecule.GetAtoms())
    return f"{rings}/{int(aromatic)}/{molecule.GetNumAtoms() // 6}"


def identity_of(molecule: Any) -> str:
    """Canonical SMILES: equal for two rows that hold the same molecule."""
    with rdBase.BlockLogs():
        return str(Chem.MolToSmiles(molecule))
