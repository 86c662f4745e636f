"""Arrays of complexes that controls are fitted to: labels, groups, counts, compositions."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from torch_geometric.data import Data

from intertwiner.data.collate import collate
from intertwiner_atomic_conv.evaluation.wrong_pocket import in_other_pockets
from intertwiner_atomic_conv.pooled.counts import RF_LIGAND, RF_PROTEIN, count_pairs
from intertwiner_atomic_conv.pooled.model import Features, features_of

__all__ = ["Descriptors", "describe", "fingerprints", "hard_counts", "shell_features"]

CUTOFF: Final = 12.0
COMPOSITION: Final = (5, 6, 7, 8, 9, 15, 16, 17, 35, 53)
BITS: Final = 2048
BATCH = 32
HEAVIEST = 118

Table = NDArray[np.float64]
Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Descriptors:
    """One row per complex. y: pK. size: heavy atoms of the ligand. rf_score [n, 36]: hard counts
    within 12 angstrom. ligand [n, ...]: ECFP4 bits with RDKit, else element composition. protein
    [n, residues]: residue composition of one pocket of its series, so that the ligand's size
    cannot leak. shells: features of the pooled model; elsewhere: those of the ligand in another
    protein's pocket.
    """

    y: Table
    group: Numbers
    size: Table
    rf_score: Table
    ligand: Table
    protein: Table
    shells: Features
    elsewhere: Features
    smiles: tuple[str, ...]


def describe(records: Sequence[Data]) -> Descriptors:
    """Descriptors of records with `pK`, `group`, `series`, `smiles` and `residue_kind`."""
    smiles = tuple(str(record.smiles) for record in records)
    return Descriptors(
        y=np.array([float(record.pK) for record in records]),
        group=np.array([int(record.group) for record in records]),
        size=np.array([float((record.part == 1).sum()) for record in records]),
        rf_score=np.stack([hard_counts(record) for record in records]),
        ligand=_ligands(records, smiles),
        protein=_pockets(records),
        shells=shell_features(records),
        elsewhere=shell_features(in_other_pockets(records)),
        smiles=smiles,
    )


def hard_counts(record: Data) -> Table:
    """The 36 counts of RF-Score v1: ligand element x protein element within 12 angstrom."""
    x, z, part = record.pos.double().numpy(), record.z.numpy(), record.part.numpy()
    ligand, protein = part == 1, part != 1
    a, b = x[ligand], x[protein]
    near = ((a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T < CUTOFF**2).astype(np.float64)
    rows = (z[ligand][None] == np.array(RF_LIGAND)[:, None]).astype(np.float64)
    columns = (z[protein][:, None] == np.array(RF_PROTEIN)[None]).astype(np.float64)
    counts: Table = (rows @ near @ columns).ravel()
    return counts


def shell_features(records: Sequence[Data]) -> Features:
    """Features of the pooled model, in double precision."""
    import torch

    parts = []
    for first in range(0, len(records), BATCH):
        batch = collate(list(records[first : first + BATCH]))
        parts.append(features_of(count_pairs(batch.pos.double(), batch.z, batch.part, batch.ptr)))
    columns = (torch.cat([getattr(p, n) for p in parts]) for n in ("shells", "rf_score", "size"))
    return Features(*columns)


def _ligands(records: Sequence[Data], smiles: Sequence[str]) -> Table:
    if importlib.util.find_spec("rdkit") is not None and any(smiles):
        return fingerprints(smiles)
    rows = [
        [(record.z[record.part == 1] == z).sum().item() for z in COMPOSITION] for record in records
    ]
    return np.array(rows, dtype=np.float64)


def fingerprints(smiles: Sequence[str]) -> Table:
    """ECFP4 bits [n, 2048]; zeros for a ligand that cannot be read."""
    from rdkit import Chem, DataStructs, RDLogger
    from rdkit.Chem import rdFingerprintGenerator

    RDLogger.DisableLog("rdApp.*")  # type: ignore[attr-defined]
    make = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=BITS)
    bits = np.zeros((len(smiles), BITS))
    for row, text in zip(bits, smiles, strict=True):
        molecule = Chem.MolFromSmiles(text) if text else None
        if molecule is not None:
            DataStructs.ConvertToNumpyArray(make.GetFingerprint(molecule), row)
    return bits


def _pockets(records: Sequence[Data]) -> Table:
    """Shares of residue kinds in the first pocket of each record's series."""
    kinds = 1 + max(int(record.residue_kind.max()) for record in records)
    shares: dict[int, Table] = {}
    for record in records:
        series = int(record.series)
        if series not in shares:
            counts = np.bincount(record.residue_kind.numpy(), minlength=kinds).astype(np.float64)
            counts[0] = 0.0
            shares[series] = counts / max(counts.sum(), 1.0)
    return np.stack([shares[int(record.series)] for record in records])
