"""A dataset: records in `torch_geometric.data.Data`, and named splits of their numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray
from torch_geometric.data import Data

from intertwiner.errors import DataError

__all__ = ["PARTS", "Dataset", "Split", "Subset"]

PARTS = ("train", "validation", "test")
Split = Mapping[str, NDArray[np.int64]]


class Subset(Sequence[Data]):
    """The records of `dataset` numbered `indices`, in that order."""

    def __init__(self, dataset: Sequence[Data], indices: NDArray[np.int64]) -> None:
        self.dataset = dataset
        self.indices = indices

    def __len__(self) -> int:
        return len(self.indices)

    @overload
    def __getitem__(self, index: int) -> Data: ...
    @overload
    def __getitem__(self, index: slice) -> Subset: ...
    def __getitem__(self, index: int | slice) -> Data | Subset:
        if isinstance(index, slice):
            return Subset(self.dataset, self.indices[index])
        return self.dataset[int(self.indices[index])]

    def __iter__(self) -> Iterator[Data]:
        return (self[index] for index in range(len(self)))


class Dataset(Sequence[Data]):
    """Records and the ways to split them.

    A record holds one tensor per field under the field's name: node fields `[nodes, width]`
    (labels `[nodes]`), graph fields `[1, width]` (single scalars `[1]`). A missing label is NaN,
    a missing class -100.
    `name` identifies a record in messages.

    records: any sequence of `Data`; it may make them on demand.
    splits: scheme -> part ("train", "validation", "test") -> record numbers.
    species: sorted node labels (atomic numbers) that occur, empty where there are none.
    """

    def __init__(
        self,
        records: Sequence[Data],
        splits: Mapping[str, Split],
        species: tuple[int, ...] = (),
    ) -> None:
        self.records = records
        self.splits = splits
        self.species = species

    def __len__(self) -> int:
        return len(self.records)

    @overload
    def __getitem__(self, index: int) -> Data: ...
    @overload
    def __getitem__(self, index: slice) -> Subset: ...
    def __getitem__(self, index: int | slice) -> Data | Subset:
        if isinstance(index, slice):
            return Subset(self, np.arange(len(self))[index])
        return self.records[index]

    def part(self, name: str, scheme: str = "random") -> Subset:
        """The records of one part of a split.

        Raises `DataError` when the scheme or the part does not exist.
        """
        if scheme not in self.splits:
            raise DataError(f"no split {scheme!r}; this dataset has {', '.join(self.splits)}")
        split = self.splits[scheme]
        if name not in split:
            raise DataError(f"split {scheme!r} has no part {name!r}; it has {', '.join(split)}")
        return Subset(self, split[name])
