"""Every ligand in the pocket of another protein: what a model says there it cannot have from the
interaction."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch_geometric.data import Data

__all__ = ["in_other_pockets", "partners"]

LIGAND = 1


def partners(groups: Sequence[int], seed: int = 0) -> list[int]:
    """For every complex another one, at random, of another protein group."""
    labels = np.asarray(groups)
    generator = np.random.default_rng(seed)
    others = {group: np.flatnonzero(labels != group) for group in np.unique(labels)}
    return [int(generator.choice(others[group])) for group in labels]


def in_other_pockets(records: Sequence[Data], seed: int = 0) -> list[Data]:
    """The records with the protein of another group, moved so that the centroids of the two
    ligands meet."""
    chosen = partners([int(record.group) for record in records], seed)
    return [_swapped(record, records[other]) for record, other in zip(records, chosen, strict=True)]


def _swapped(record: Data, other: Data) -> Data:
    ligand, pocket = record.part == LIGAND, other.part != LIGAND
    shift = record.pos[ligand].mean(0) - other.pos[~pocket].mean(0)
    swapped = record.clone()
    swapped.pos = torch.cat([record.pos[ligand], other.pos[pocket] + shift])
    for name in ("z", "part", "residue_kind"):
        swapped[name] = torch.cat([record[name][ligand], other[name][pocket]])
    return swapped
