"""`BONDS -> ATOMS`: coordinates from bonds by distance geometry (RDKit's ETKDG) and a force field.

The random numbers start from a hash of the canonical SMILES, so a molecule gives the same
conformer in every run, whichever molecules come before it.
"""

from __future__ import annotations

import hashlib
import logging
from typing import Any

import numpy as np
import torch
from rdkit import Chem, rdBase
from rdkit.Chem import rdDistGeom, rdForceFieldHelpers
from torch import Tensor
from torch_geometric.data import Data

from intertwiner.errors import DataError
from intertwiner_atoms.bonds import to_molecule
from intertwiner_atoms.config import ConformerConfig

__all__ = ["Conformer", "embedding_seed"]

_log = logging.getLogger(__name__)
_ATOMS_AND_BONDS = ("z", "x", "pos", "edge_index", "edge_attr", "bond_order", "formal_charge")
_STRUCTURAL = frozenset((*_ATOMS_AND_BONDS, "hydrogens", "num_nodes", "smiles", "name"))


def embedding_seed(smiles: str) -> int:
    """A number in [0, 2^31) that depends on the canonical SMILES alone."""
    return int.from_bytes(hashlib.sha256(smiles.encode()).digest()[:4], "big") >> 1


class Conformer:
    """Makes an ATOMS record from a BONDS record; hydrogens are added behind the given atoms.

    Labels of the whole molecule (tensors with one row) are carried over; those of atoms and
    bonds are not, since atoms may have been added.
    """

    def __init__(self, config: ConformerConfig | None = None) -> None:
        self.config = config or ConformerConfig()

    def __call__(self, record: Data) -> Data:
        """The record with pos [atoms, 3] in angstrom (mean at the origin) and z [atoms].

        Raises `DataError` naming the molecule when its bonds cannot be, and when no geometry
        fulfils its distances.
        """
        name = str(record.name) if "name" in record else str(record.smiles)
        molecule = Chem.AddHs(to_molecule(record))
        self._embed(molecule, name)
        if self.config.relax and molecule.GetNumAtoms() > 1:
            self._relax(molecule, name)
        places = molecule.GetConformer().GetPositions()
        positions = (places - places.mean(axis=0)).astype(np.float32)
        numbers = [atom.GetAtomicNum() for atom in molecule.GetAtoms()]
        return Data(
            pos=torch.from_numpy(positions),
            z=torch.tensor(numbers, dtype=torch.int64),
            name=name,
            **_graph_labels(record),
        )

    def _embed(self, molecule: Any, name: str) -> None:
        smiles = Chem.MolToSmiles(Chem.RemoveHs(molecule))
        parameters: Any = rdDistGeom.ETKDGv3()
        parameters.randomSeed = embedding_seed(smiles)
        parameters.maxIterations = self.config.attempts
        for random_start in (False, True):
            parameters.useRandomCoords = random_start
            with rdBase.BlockLogs():
                if rdDistGeom.EmbedMolecule(molecule, parameters) == 0:
                    return
        raise DataError(
            f"{name}: no 3D geometry fits the bonds of {smiles!r} after "
            f"{2 * self.config.attempts} attempts; check its rings and stereo marks, or raise "
            "attempts"
        )

    def _relax(self, molecule: Any, name: str) -> None:
        steps = self.config.iterations
        with rdBase.BlockLogs():
            if rdForceFieldHelpers.MMFFHasAllMoleculeParams(molecule):
                left = rdForceFieldHelpers.MMFFOptimizeMolecule(molecule, maxIters=steps)
            elif rdForceFieldHelpers.UFFHasAllMoleculeParams(molecule):
                _log.info("%s: MMFF94 lacks parameters, relaxed with UFF", name)
                left = rdForceFieldHelpers.UFFOptimizeMolecule(molecule, maxIters=steps)
            else:
                _log.warning("%s: no force field has its parameters; not relaxed", name)
                return
        if left:
            _log.warning("%s: not relaxed after %d steps; raise iterations", name, steps)


def _graph_labels(record: Data) -> dict[str, Tensor]:
    """The tensors of one row that say something of the whole molecule."""
    return {
        key: value
        for key, value in record.to_dict().items()
        if key not in _STRUCTURAL
        and isinstance(value, Tensor)
        and value.dim() > 0
        and len(value) == 1
    }
