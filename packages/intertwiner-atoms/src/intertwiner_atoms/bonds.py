"""The BONDS structure: a molecular graph without coordinates, as a record and as RDKit's molecule.

A record holds

    z             [atoms]      atomic numbers
    edge_index    [2, edges]   every bond twice, once in each direction
    bond_order    [edges]      1, 2, 3, or 1.5 for an aromatic bond
    formal_charge [atoms]      in e
    hydrogens     [atoms]      hydrogens of each atom that are not atoms of the graph
    smiles        str          the molecule as the file wrote it; "" when it came as a graph
    name          str
    num_nodes     int          atoms

Without `bond_order` all bonds are single; without `formal_charge` all are zero; without
`hydrogens` they follow from the valences, which for an aromatic nitrogen may leave it open which
one carries a hydrogen. Only `smiles` knows of stereo centres.
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
        hydrogens=torch.tensor([atom.GetTotalNumHs() for atom in atoms], dtype=torch.int64),
        smiles=smiles,
        name=name,
        num_nodes=len(atoms),
    )


def to_molecule(record: Data) -> Any:
    """RDKit's molecule of a BONDS record, sanitised, hydrogens not yet added.

    Made from `smiles` where there is one that names the record's atoms in their order, otherwise
    from the graph. Raises `DataError` naming the record when its valences cannot be.
    """
    smiles = record.smiles if "smiles" in record else ""
    if "edge_index" not in record:
        return _parsed(smiles)
    if smiles:
        molecule = _parsed(smiles)
        if [atom.GetAtomicNum() for atom in molecule.GetAtoms()] == record.z.tolist():
            return molecule
    return _from_graph(record)


def _from_graph(record: Data) -> Any:
    molecule = Chem.RWMol()
    for index, number in enumerate(record.z.tolist()):
        atom = Chem.Atom(number)
        if "formal_charge" in record:
            atom.SetFormalCharge(int(record.formal_charge[index]))
        if "hydrogens" in record:
            atom.SetNumExplicitHs(int(record.hydrogens[index]))
            atom.SetNoImplicit(True)
        molecule.AddAtom(atom)
    ends = record.edge_index.T.tolist()
    orders = record.bond_order.tolist() if "bond_order" in record else [1.0] * len(ends)
    for (first, second), order in zip(ends, orders, strict=True):
        if first < second:
            _add_bond(molecule, first, second, order, record.name)
    return _sanitised(molecule, record.name)


def _add_bond(molecule: Any, first: int, second: int, order: float, name: str) -> None:
    if order not in _TYPES:
        raise DataError(f"{name}: bond order {order} of atoms {first}, {second}: use 1, 2, 3, 1.5")
    molecule.AddBond(first, second, _TYPES[order])
    if order == 1.5:
        for index in (first, second):
            molecule.GetAtomWithIdx(index).SetIsAromatic(True)


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
