"""What a guess without a network achieves: the mean, the composition, the mean of the scaffold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch_geometric.data import Data

from intertwiner_fedchem.data.codes import ATOM_RADICES

__all__ = ["composition", "composition_linear", "scaffold_mean", "training_mean"]

Matrix = NDArray[np.float64]
RIDGE = 1e-3


def training_mean(labels: Matrix, count: int) -> Matrix:
    """[training molecules, tasks] labels, NaN where missing -> [count, tasks] guesses."""
    return np.tile(np.nanmean(labels, axis=0), (count, 1))


def composition(records: Sequence[Data]) -> Matrix:
    """How many atoms of each element a molecule has, hydrogens too, and 1: [molecules, ...]."""
    rows = []
    for record in records:
        codes = record.atom_code.numpy()
        elements = np.bincount(codes % ATOM_RADICES[0], minlength=ATOM_RADICES[0])
        hydrogens = codes // int(np.prod(ATOM_RADICES[:-1]))
        rows.append([*elements, hydrogens[hydrogens < 5].sum(), 1.0])
    return np.array(rows, dtype=np.float64)


def composition_linear(training: Matrix, labels: Matrix, wanted: Matrix) -> Matrix:
    """Ridge regression on compositions. training, wanted: of `composition`."""
    guesses = np.empty((len(wanted), labels.shape[1]))
    for task, column in enumerate(labels.T):
        known = np.isfinite(column)
        rows = training[known]
        gram = rows.T @ rows + RIDGE * np.eye(rows.shape[1])
        guesses[:, task] = wanted @ np.linalg.solve(gram, rows.T @ column[known])
    return guesses


def scaffold_mean(
    scaffolds: NDArray[np.int64], labels: Matrix, wanted: NDArray[np.int64]
) -> Matrix:
    """The mean of the training molecules of the same scaffold; of all where there is none."""
    overall = np.nanmean(labels, axis=0)
    guesses = np.tile(overall, (len(wanted), 1))
    for scaffold in np.unique(wanted):
        members = labels[scaffolds == scaffold]
        known = np.isfinite(members)
        counts = known.sum(0)
        sums = np.where(known, members, 0.0).sum(0)
        mean = np.where(counts > 0, sums / np.maximum(counts, 1), overall)
        guesses[wanted == scaffold] = mean
    return guesses
