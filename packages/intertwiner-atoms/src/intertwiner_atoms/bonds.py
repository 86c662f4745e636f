"""The BONDS structure: a molecular graph without coordinates, as a record and as RDKit's molecule.

A record holds

    z             [atoms]      atomic numbers
    edge_index    [2, edges]   every bond twice, once in each direction
    bond_order    [edges]      1, 2, 3, or 1.5 for an aromatic bond
    formal_charge [atoms]      in e
    smiles        str          the molecule as the file wrote it; "" when it came as a graph
    name          str
    num_nodes     int          atoms

Hydrogens may be explicit or not; a molecule's missing hydrogens are added by its valences.
"""

from __future__ import annotations

from typing import Any, Final

import torch
from rdkit import Chem, rdBase
from torch_geometric.data import Data

from intertwiner.errors import DataError

__all__ = ["record_from_molecule", "record_from_smiles", "to_molecule"]

_ORDERS: Final = {
    Chem.BondType.SINGLE: 1.0,
    Chem.BondType.DOUBLE: 2.0,
    Chem.BondType.TRIPLE: 3.0,
    Chem.BondType.AROMATIC: 1.5,
}
_TYPES: Final = {order: kind for kind, order in _ORDERS.items()}


def record_from_smiles(smiles: str, name: str = "") -> Data:
    """The BONDS record of a SMILES, hydrogens as RDKit leaves them (implicit ones left out).

    Raises `DataError` with RDKit's reason when it is no molecule.
    """
    return record_from_molecule(_parsed(smiles), smiles, name or smiles)


def record_from_molecule(molecule: Any, smiles: str, name: str) -> Data:
    """The BONDS record of an RDKit molecule.

    Raises `DataError` for a bond that is neither single, double, triple nor aromatic.
    """
    ends, orders = [], []
    for bond in molecule.GetBonds():
        order = _ORDERS.get(bond.GetBondType())
        if order is None:
            raise DataError(f"{name}: bond {bond.GetIdx()} is of type {bond.GetBondType()}")
        first, second = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
        ends += [(first, second), (second, first)]
        orders += [order, order]
    atoms = list(molecule.GetAtoms())
    return Data(
        z=torch.tensor([atom.GetAtomicNum() for atom in atoms], dtype=torch.int64),
        edge_index=torch.tensor(ends, dtype=torch.int64).reshape(-1, 2).T.contiguous(),
        bond_order=torch.tensor(orders, dtype=torch.float32),
        formal_charge=torch.tensor([atom.GetFormalCharge() for atom in atoms], dtype=torch.int64),
        smiles=smiles,
        name=name,
        num_nodes=len(atoms),
    )


def to_molecule(record: Data) -> Any:
    """RDKit's molecule of a BONDS record, sanitised, hydrogens not yet added.

    The atoms are the record's, in its order, where it holds a graph; otherwise those of `smiles`.
    Raises `DataError` naming the record when its valences cannot be.
    """
    if "edge_index" not in record:
        return _parsed(record.smiles)
    molecule = Chem.RWMol()
    charges = record.formal_charge.tolist() if "formal_charge" in record else [0] * len(record.z)
    for number, charge in zip(record.z.tolist(), charges, strict=True):
        atom = Chem.Atom(number)
        atom.SetFormalCharge(charge)
        molecule.AddAtom(atom)
    for (first, second), order in zip(
        record.edge_index.T.tolist(), record.bond_order.tolist(), strict=True
    ):
        if first < second:
            molecule.AddBond(first, second, _TYPES[order])
            if order == 1.5:
                for index in (first, second):
                    molecule.GetAtomWithIdx(index).SetIsAromatic(True)
    return _sanitised(molecule, record.name)


def _parsed(smiles: str) -> Any:
    if not smiles.strip():
        raise DataError("empty SMILES")
    with rdBase.BlockLogs():
        molecule = Chem.MolFromSmiles(smiles, sanitize=False)
    if molecule is None or molecule.GetNumAtoms() == 0:
        raise DataError(f"invalid SMILES {smiles!r}: RDKit cannot parse it")
    return _sanitised(molecule, f"SMILES {smiles!r}")


def _sanitised(molecule: Any, name: str) -> Any:
    try:
        with rdBase.BlockLogs():
            Chem.SanitizeMol(molecule)
    except ValueError as error:
        reason = " ".join(str(error).split())
        raise DataError(f"{name}: {reason}") from error
    return molecule
