"""Ways to divide complexes into folds, or into training and test. All are pure functions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from intertwiner.data.dataset import Split
from intertwiner.data.splits import permutation
from intertwiner.errors import ConfigError

__all__ = [
    "as_split",
    "grouped",
    "murcko_scaffolds",
    "random",
    "scaffold",
    "stratified",
    "temporal",
    "year_stratified",
]

Numbers = NDArray[np.int64]
RUN, RUN_TEST = 10, 2


def random(count: int, folds: int, seed: int) -> Numbers:
    """The fold of every record at random, of equal sizes."""
    fold = np.empty(count, dtype=np.int64)
    fold[permutation(count, seed, 1)] = np.arange(count) % folds
    return fold


def grouped(groups: Sequence[int] | Numbers, folds: int, seed: int) -> Numbers:
    """The fold of every record, groups whole: in random order, each to the smallest fold so far.

    Raises `ConfigError` when there are fewer groups than folds.
    """
    _, group, counts = np.unique(groups, return_inverse=True, return_counts=True)
    if len(counts) < folds:
        raise ConfigError(f"{folds} folds need >= {folds} groups, data has {len(counts)}")
    sizes = np.zeros(folds, dtype=np.int64)
    fold_of = np.empty(len(counts), dtype=np.int64)
    for number in permutation(len(counts), seed, 2):
        fold_of[number] = sizes.argmin()
        sizes[fold_of[number]] += counts[number]
    return fold_of[group].astype(np.int64)


def murcko_scaffolds(smiles: Sequence[str]) -> list[str]:
    """Bemis-Murcko scaffold of every ligand without chirality; "" for one that cannot be read.

    Raises `ConfigError` when RDKit is not installed.
    """
    try:
        from rdkit import Chem, RDLogger
        from rdkit.Chem.Scaffolds import MurckoScaffold
    except ImportError as error:
        raise ConfigError("scaffolds need RDKit; run: pip install rdkit") from error
    RDLogger.DisableLog("rdApp.*")  # type: ignore[attr-defined]
    found = []
    for text in smiles:
        molecule = Chem.MolFromSmiles(text) if text else None
        found.append(
            ""
            if molecule is None
            else MurckoScaffold.MurckoScaffoldSmiles(mol=molecule, includeChirality=False)
        )
    return found


def scaffold(smiles: Sequence[str], folds: int) -> Numbers:
    """The fold of every record, scaffolds whole, the largest first; unreadable ligands together."""
    return grouped_by_size(murcko_scaffolds(smiles), folds)


def grouped_by_size(labels: Sequence[str], folds: int) -> Numbers:
    """Groups whole, in order of falling size, each to the smallest fold so far."""
    _, group, counts = np.unique(np.array(labels), return_inverse=True, return_counts=True)
    sizes = np.zeros(folds, dtype=np.int64)
    fold_of = np.empty(len(counts), dtype=np.int64)
    for number in np.argsort(-counts, kind="stable"):
        fold_of[number] = sizes.argmin()
        sizes[fold_of[number]] += counts[number]
    return fold_of[group].astype(np.int64)


def stratified(values: Sequence[float], seed: int) -> Numbers:
    """0 (training) or 1 (test): in order of `values`, two at random of every run of ten.

    The paper drops the last, shorter run; here its share is kept.
    """
    order = np.argsort(np.asarray(values), kind="stable")
    test = np.zeros(len(order), dtype=np.int64)
    for number, first in enumerate(range(0, len(order), RUN)):
        run = order[first : first + RUN]
        chosen = permutation(len(run), seed, number)[: round(RUN_TEST * len(run) / RUN)]
        test[run[chosen]] = 1
    return test


def year_stratified(years: Sequence[int], seed: int) -> Numbers:
    """The paper's "temporal" split, which is none: both parts have all years."""
    return stratified(list(map(float, years)), seed)


def temporal(years: Sequence[int], share: float = 0.8) -> Numbers:
    """0 (training) or 1 (test): all training years strictly before all test years.

    The boundary is the year that brings training closest to `share`. Raises `ConfigError` when
    there is only one year.
    """
    years_array = np.asarray(years)
    bounds = np.unique(years_array)[1:]
    if not len(bounds):
        raise ConfigError("a temporal split needs records of more than one year")
    before = [(years_array < bound).mean() for bound in bounds]
    first_test = bounds[int(np.argmin(np.abs(np.array(before) - share)))]
    return (years_array >= first_test).astype(np.int64)


def as_split(fold: Numbers, test: int, folds: int) -> Split:
    """Fold `test` as the test part, the next one for validation, the others for training."""
    validation = (test + 1) % folds
    chosen = {
        "train": (fold != test) & (fold != validation) if folds > 2 else fold == validation,
        "validation": fold == validation,
        "test": fold == test,
    }
    return {part: np.flatnonzero(rows).astype(np.int64) for part, rows in chosen.items()}
