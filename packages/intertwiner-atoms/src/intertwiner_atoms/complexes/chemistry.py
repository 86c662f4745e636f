"""The only chemistry there is in reading complexes: a pose and its SMILES."""

from __future__ import annotations

from collections import Counter
from typing import Any

from intertwiner.errors import DataError
from intertwiner_atoms.complexes.ligand import Ligand
from intertwiner_atoms.elements import SYMBOLS

__all__ = ["check_smiles", "derived_smiles"]


def check_smiles(ligand: Ligand, smiles: str) -> None:
    """Raises `DataError` unless the pose has the heavy atoms of the SMILES, or of its largest part.

    A salt's counter-ion need not be in the pose.
    """
    from rdkit import Chem, rdBase

    with rdBase.BlockLogs():
        molecule = Chem.MolFromSmiles(smiles, sanitize=False) if smiles.strip() else None
    if molecule is None or molecule.GetNumAtoms() == 0:
        raise DataError(f"{ligand.place}: invalid SMILES {smiles!r}: RDKit cannot parse it")
    parts = [
        _formula(part) for part in Chem.GetMolFrags(molecule, asMols=True, sanitizeFrags=False)
    ]
    pose = Counter(number for number in ligand.z.tolist() if number > 1)
    if pose not in (_formula(molecule), max(parts, key=lambda part: part.total())):
        raise DataError(
            f"{ligand.place}: the pose has {_written(pose)}, the SMILES {smiles!r} has "
            f"{_written(_formula(molecule))}: atoms are missing, or it is another molecule"
        )


def derived_smiles(ligand: Ligand) -> tuple[str, str]:
    """(SMILES of the ligand from its record's bonds, ""), or ("", why there is none)."""
    from rdkit import Chem, rdBase

    text = ligand.atoms.raw.text
    if not text:
        return "", f"{ligand.file.name} says nothing of bonds; use SDF or MOL2"
    parse: Any = Chem.MolFromMol2Block if text.startswith("@") else Chem.MolFromMolBlock
    with rdBase.BlockLogs():
        molecule = parse(text, sanitize=False)
        if molecule is None:
            return "", "RDKit cannot read the bonds"
        try:
            Chem.SanitizeMol(molecule)
            Chem.AssignStereochemistryFrom3D(molecule)
            return str(Chem.MolToSmiles(Chem.RemoveHs(molecule))), ""
        except ValueError as error:
            return "", " ".join(str(error).split())


def _formula(molecule: object) -> Counter[int]:
    atoms = molecule.GetAtoms()  # type: ignore[attr-defined]
    return Counter(atom.GetAtomicNum() for atom in atoms if atom.GetAtomicNum() > 1)


def _written(formula: Counter[int]) -> str:
    parts = (f"{SYMBOLS[z]}{count if count > 1 else ''}" for z, count in sorted(formula.items()))
    return " ".join(parts) or "no heavy atoms"
