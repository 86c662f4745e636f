"""RDKit's molecules as codes (extra `chem`): one number for every atom and every bond.

Atoms are renumbered by RDKit's canonical ranks used as the new order, which makes nodes, edges and
features equal, row by row, to those of the benchmark.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from rdkit import Chem, rdBase

from intertwiner.errors import DataError
from intertwiner_fedchem.data.codes import ATOM_RADICES, BOND_RADICES, ELEMENTS
from intertwiner_fedchem.data.graph import Graph

__all__ = ["featurise", "parse"]

_ELEMENT: Final = {symbol: number for number, symbol in enumerate(ELEMENTS)}
_HYBRIDISATION: Final = {
    Chem.HybridizationType.SP: 0,
    Chem.HybridizationType.SP2: 1,
    Chem.HybridizationType.SP3: 2,
    Chem.HybridizationType.SP3D: 3,
    Chem.HybridizationType.SP3D2: 4,
}
_ORDER: Final = {
    Chem.BondType.SINGLE: 0,
    Chem.BondType.DOUBLE: 1,
    Chem.BondType.TRIPLE: 2,
    Chem.BondType.AROMATIC: 3,
}
_STEREO: Final = {
    Chem.BondStereo.STEREONONE: 0,
    Chem.BondStereo.STEREOANY: 1,
    Chem.BondStereo.STEREOZ: 2,
    Chem.BondStereo.STEREOE: 3,
    Chem.BondStereo.STEREOCIS: 4,
    Chem.BondStereo.STEREOTRANS: 5,
}
_IMPLICIT: Final = Chem.ValenceType.IMPLICIT
_ATOM_WEIGHTS: Final = tuple(np.cumprod([1, *ATOM_RADICES[:-1]]).tolist())
_BOND_WEIGHTS: Final = tuple(np.cumprod([1, *BOND_RADICES[:-1]]).tolist())


def parse(smiles: str, *, lax: bool = False) -> Any:
    """RDKit's molecule. With `lax`, valences that RDKit does not know are let through.

    Raises `DataError` with RDKit's reason.
    """
    with rdBase.BlockLogs():
        molecule: Any = Chem.MolFromSmiles(smiles) if smiles.strip() else None
        if molecule is None and lax and smiles.strip():
            molecule = _lax(smiles)
    if molecule is None:
        raise DataError(f"SMILES {smiles!r}: {_reason(smiles)}")
    if molecule.GetNumAtoms() == 0:
        raise DataError(f"SMILES {smiles!r}: no atom")
    return molecule


def _lax(smiles: str) -> Any:
    molecule: Any = Chem.MolFromSmiles(smiles, sanitize=False)
    if molecule is None:
        return None
    molecule.UpdatePropertyCache(strict=False)
    steps = Chem.SanitizeFlags.SANITIZE_ALL ^ Chem.SanitizeFlags.SANITIZE_PROPERTIES
    failed = Chem.SanitizeMol(molecule, steps, catchErrors=True)
    return molecule if failed == Chem.SanitizeFlags.SANITIZE_NONE else None


def _reason(smiles: str) -> str:
    if not smiles.strip():
        return "empty"
    with rdBase.BlockLogs():
        molecule: Any = Chem.MolFromSmiles(smiles, sanitize=False)
        if molecule is None:
            return "RDKit cannot parse it"
        try:
            Chem.SanitizeMol(molecule)
        except ValueError as error:
            return " ".join(str(error).split())
    return "RDKit refuses it"


def featurise(molecule: Any) -> Graph:
    """The codes of a sanitised molecule, atoms in the canonical order."""
    ordered = Chem.RenumberAtoms(molecule, list(Chem.CanonicalRankAtoms(molecule)))
    atoms = [_atom(atom) for atom in ordered.GetAtoms()]
    ends: list[tuple[int, int]] = []
    bonds: list[int] = []
    for bond in ordered.GetBonds():
        first, second = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
        ends += ((first, second), (second, first))
        code = _bond(bond)
        bonds += (code, code)
    return Graph(
        np.array(atoms, dtype=np.int64),
        np.array(ends, dtype=np.int64).reshape(-1, 2),
        np.array(bonds, dtype=np.int64),
    )


def _atom(atom: Any) -> int:
    charge = atom.GetFormalCharge()
    _, b, c, d, e, f, g, h = _ATOM_WEIGHTS
    return int(
        _ELEMENT.get(atom.GetSymbol(), len(ELEMENTS))
        + b * min(atom.GetDegree(), 11)
        + c * min(atom.GetValence(_IMPLICIT), 7)
        + d * min(2 * charge - 1 if charge > 0 else -2 * charge, 63)
        + e * min(atom.GetNumRadicalElectrons(), 15)
        + f * _HYBRIDISATION.get(atom.GetHybridization(), 5)
        + g * atom.GetIsAromatic()
        + h * min(atom.GetTotalNumHs(), 5)
    )


def _bond(bond: Any) -> int:
    _, b, c, d = _BOND_WEIGHTS
    return int(
        _ORDER.get(bond.GetBondType(), 4)
        + b * bond.GetIsConjugated()
        + c * bond.IsInRing()
        + d * _STEREO.get(bond.GetStereo(), 6)
    )
