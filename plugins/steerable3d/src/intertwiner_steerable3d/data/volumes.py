"""Records of volumes: made when they are asked for, since a data set of them fills the memory."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import overload

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch_geometric.data import Data

from intertwiner.data import Subset

__all__ = ["OnDemand", "volume_record"]


class OnDemand(Sequence[Data]):
    """Record i is `make(i)`, every time; with `keep`, the first time."""

    def __init__(self, size: int, make: Callable[[int], Data], *, keep: bool = False) -> None:
        self.size = size
        self.make = functools.cache(make) if keep else make

    def __len__(self) -> int:
        return self.size

    @overload
    def __getitem__(self, index: int) -> Data: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Data]: ...
    def __getitem__(self, index: int | slice) -> Data | Sequence[Data]:
        if isinstance(index, slice):
            return Subset(self, np.arange(self.size)[index])
        if not -self.size <= index < self.size:
            raise IndexError(f"record {index} of {self.size}")
        return self.make(index % self.size)

    def __iter__(self) -> Iterator[Data]:
        return (self.make(index) for index in range(self.size))


def volume_record(
    volume: Float[Tensor, "1 channels x y z"], name: str, label: str, value: int
) -> Data:
    """A record of the structure VOXELS with one class."""
    record = Data(volume=volume.float(), num_nodes=1, name=name)
    record[label] = torch.tensor([value])
    return record
