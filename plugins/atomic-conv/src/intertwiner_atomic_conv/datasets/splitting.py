"""The splits of complexes that were read from files, each made only where it is asked for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch_geometric.data import Data

from intertwiner.data.dataset import Split
from intertwiner.errors import ConfigError
from intertwiner_atomic_conv.datasets.protein_groups import protein_groups
from intertwiner_atomic_conv.evaluation import folds

__all__ = ["FOLDS", "split_records"]

FOLDS = 5


def split_records(records: Sequence[Data], years: Sequence[float], wanted: str) -> dict[str, Split]:
    """ "random" and, where it is `wanted`, one of "stratified", "year-stratified", "temporal",
    "target" and "scaffold".

    records: with `pK` [1]. years: of release, NaN where unknown. Raises `ConfigError` for a split
    by year of records without years.
    """
    found = {"random": folds.as_split(folds.random(len(records), FOLDS, 0), 0, FOLDS)}
    if wanted == "stratified":
        labels = [float(record.pK) for record in records]
        found[wanted] = _with_validation(folds.stratified(labels, 0))
    if wanted in ("year-stratified", "temporal"):
        if not np.isfinite(years).all():
            raise ConfigError(f"data.split={wanted}: not every complex has a year")
        numbers = [int(year) for year in years]
        by_year = wanted == "temporal"
        test = folds.temporal(numbers) if by_year else folds.year_stratified(numbers, 0)
        found[wanted] = _with_validation(test)
    if wanted == "target":
        groups = protein_groups([_residues(record) for record in records])
        found[wanted] = folds.as_split(folds.grouped(groups, FOLDS, 0), 0, FOLDS)
    if wanted == "scaffold":
        smiles = [str(record.get("smiles", "")) for record in records]
        found[wanted] = folds.as_split(folds.scaffold(smiles, FOLDS), 0, FOLDS)
    return found


def _with_validation(test: folds.Numbers) -> dict[str, folds.Numbers]:
    """Every tenth training record validates."""
    training = np.flatnonzero(test == 0)
    held = np.arange(len(training)) % 10 == 9
    return {
        "train": training[~held],
        "validation": training[held],
        "test": np.flatnonzero(test == 1),
    }


def _residues(record: Data) -> list[str]:
    names = list(record.get("residue_names", []))
    numbers = record.residue[record.part == 0].unique()
    return [names[int(number)] for number in numbers if int(number) < len(names)]
