"""Batches whose order is a pure function of seed and epoch, so that any step can be found again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from torch_geometric.data import Batch, Data

from intertwiner.data.collate import collate
from intertwiner.data.splits import permutation
from intertwiner.errors import ConfigError

__all__ = ["Batches"]


class Batches:
    """The batches one rank sees: `for batch in batches.epoch(3)`.

    In training (`shuffle`), the records are put in an order that depends on `seed` and the epoch
    alone; step by step, `size * world_size` of them are dealt out to the ranks in turn. All ranks
    take the same number of steps of the same size: where the records do not suffice, the order is
    wrapped, so that the last step of an epoch may see up to `world_size - 1` records twice.
    With `drop_last`, records that do not fill a step on every rank wait for another epoch; if
    they would not fill even one step, there is one smaller step.

    Without `shuffle` (validation, test), records keep their order and none is repeated or
    dropped; a rank may then have one step, or the last step one record, less than another, so
    nothing that all ranks must reach together belongs inside that loop.

    size: records per step on each rank.
    """

    def __init__(
        self,
        records: Sequence[Data],
        size: int,
        *,
        shuffle: bool,
        seed: int = 0,
        drop_last: bool = False,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        if size < 1:
            raise ConfigError(f"batch size {size}: must be 1 or more")
        if not shuffle and drop_last:
            raise ConfigError("drop_last needs shuffle: evaluation must not drop records")
        self.records = records
        self.size = size
        self.shuffle = shuffle
        self.seed = seed
        self.rank = rank
        self.world_size = world_size
        self._dealt = self._count_dealt(len(records), drop_last)

    def __len__(self) -> int:
        """Steps in an epoch, on this rank."""
        mine = len(range(self.rank, self._dealt, self.world_size))
        return -(-mine // self.size)

    def epoch(self, epoch: int = 0, start: int = 0) -> Iterator[Batch]:
        """The batches of one epoch from step `start` on."""
        for numbers in self.numbers(epoch)[start:]:
            yield collate([self.records[int(number)] for number in numbers])

    def numbers(self, epoch: int = 0) -> list[NDArray[np.int64]]:
        """The record numbers of every step of one epoch, on this rank."""
        count = len(self.records)
        order = permutation(count, self.seed, epoch) if self.shuffle else np.arange(count)
        mine = np.resize(order, self._dealt)[self.rank :: self.world_size]
        return [mine[first : first + self.size] for first in range(0, len(mine), self.size)]

    def _count_dealt(self, count: int, drop_last: bool) -> int:
        """How many records an epoch deals out to all ranks together, repeats included."""
        if not self.shuffle:
            return count
        step = self.size * self.world_size
        if drop_last and count >= step:
            return count - count % step
        return -(-count // self.world_size) * self.world_size
