"""What RDKit makes of bonds from distances. Needs the extra `chem`."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import Any

from torch_geometric.data import Data

from intertwiner.errors import RunError
from intertwiner_enflow.molecules.bonds import bond_orders

__all__ = ["Checked", "available", "check_molecule", "to_rdkit"]


@dataclass(frozen=True, slots=True)
class Checked:
    """smiles: canonical, hydrogens written out, None where RDKit cannot sanitise.

    loose: it sanitises; RDKit may then add hydrogens that are not there. strict: it does so
    without adding any, has no radical, and is one fragment.
    """

    smiles: str | None
    loose: bool
    strict: bool
    fragments: int


def available() -> bool:
    """Whether RDKit is installed."""
    return importlib.util.find_spec("rdkit") is not None


def to_rdkit(record: Data, *, strict: bool) -> Any:
    """An unsanitised RDKit molecule with bonds from distances and a conformer.

    strict: atoms may not be given hydrogens. Raises `RunError` without RDKit.
    """
    if not available():
        raise RunError("checking molecules needs rdkit: pip install 'intertwiner-enflow[chem]'")
    from rdkit import Chem

    molecule = Chem.RWMol()
    for number in record.z.tolist():
        atom = Chem.Atom(number)
        atom.SetNoImplicit(strict)
        molecule.AddAtom(atom)
    kinds = (Chem.BondType.SINGLE, Chem.BondType.DOUBLE, Chem.BondType.TRIPLE)
    orders = bond_orders(record.z, record.pos).triu()
    for first, second in orders.nonzero().tolist():
        molecule.AddBond(first, second, kinds[int(orders[first, second]) - 1])
    conformer = Chem.Conformer(len(record.z))
    for atom_number, place in enumerate(record.pos.double().tolist()):
        conformer.SetAtomPosition(atom_number, place)
    molecule.AddConformer(conformer)
    return molecule


def check_molecule(record: Data) -> Checked:
    """Validity and canonical SMILES of one record."""
    from rdkit import Chem

    loose = _sanitised(to_rdkit(record, strict=False))
    if loose is None:
        return Checked(None, loose=False, strict=False, fragments=0)
    fragments = len(Chem.GetMolFrags(loose))
    strict = _sanitised(to_rdkit(record, strict=True))
    whole = strict is not None and fragments == 1 and not _radicals(strict)
    return Checked(Chem.MolToSmiles(loose), loose=True, strict=whole, fragments=fragments)


def _sanitised(molecule: Any) -> Any:
    from rdkit import Chem, rdBase

    try:
        with rdBase.BlockLogs():
            Chem.SanitizeMol(molecule)
    except ValueError:
        return None
    return molecule


def _radicals(molecule: Any) -> int:
    return sum(atom.GetNumRadicalElectrons() for atom in molecule.GetAtoms())
