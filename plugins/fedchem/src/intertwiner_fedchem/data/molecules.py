"""Molecules with labels and groups, and the core's dataset made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch_geometric.data import Data

from intertwiner.config import suggestion
from intertwiner.data import Dataset
from intertwiner.errors import ConfigError
from intertwiner.fields import Field, Label
from intertwiner_fedchem.data.graph import Graph
from intertwiner_fedchem.splits.parts import parts_of

__all__ = ["Molecules", "make_dataset"]

MISSING_CLASS = -100


@dataclass(frozen=True, slots=True)
class Molecules:
    """graphs, names (SMILES as given), scaffold, coarse_scaffold and identity (equal for the same
    molecule) of every molecule; labels: target -> [molecules], NaN where missing.
    """

    graphs: Sequence[Graph]
    names: Sequence[str]
    scaffold: NDArray[np.int64]
    coarse_scaffold: NDArray[np.int64]
    identity: NDArray[np.int64]
    labels: Mapping[str, NDArray[np.float64]]


def make_dataset(
    molecules: Molecules, fields: Sequence[Field], targets: Sequence[str], seed: int
) -> Dataset:
    """The core's dataset with the labels called `targets`, all where that is empty.

    seed: of the splits "random" and "scaffold". Raises `ConfigError` for an unknown target.
    """
    known = {field.name: field for field in fields}
    for name in targets:
        if name not in known:
            raise ConfigError(f"data.targets: no label {name!r}{suggestion(name, known)}")
    chosen = [known[name] for name in targets or known]
    records = _Records(molecules, chosen)
    return Dataset(records, parts_of(molecules.scaffold, molecules.identity, seed))


class _Records(Sequence[Data]):
    """Records made once, when they are asked for."""

    def __init__(self, molecules: Molecules, fields: Sequence[Field]) -> None:
        self._molecules = molecules
        self._labels = {
            field.name: _column(field, molecules.labels[field.name]) for field in fields
        }
        self._made: dict[int, Data] = {}

    def __len__(self) -> int:
        return len(self._molecules.graphs)

    def __getitem__(self, index: int) -> Data:  # type: ignore[override]
        if not -len(self) <= index < len(self):
            raise IndexError(f"no molecule {index} among {len(self)}")
        index %= len(self)
        if index not in self._made:
            self._made[index] = self._make(index)
        return self._made[index]

    def _make(self, index: int) -> Data:
        molecules, graph = self._molecules, self._molecules.graphs[index]
        return Data(
            atom_code=torch.from_numpy(graph.atom_code),
            edge_index=torch.from_numpy(np.ascontiguousarray(graph.ends.T)),
            bond_code=torch.from_numpy(graph.bond_code),
            scaffold=torch.tensor([int(molecules.scaffold[index])]),
            coarse_scaffold=torch.tensor([int(molecules.coarse_scaffold[index])]),
            **{name: column[index : index + 1] for name, column in self._labels.items()},
            name=molecules.names[index],
            num_nodes=len(graph.atom_code),
        )


def _column(field: Field, labels: NDArray[np.float64]) -> Tensor:
    if isinstance(field.rep, Label):
        return torch.from_numpy(np.nan_to_num(labels, nan=MISSING_CLASS).astype(np.int64))
    return torch.from_numpy(labels.astype(np.float32))
