"""Training, validation and test molecules: at random, by scaffold, or as the benchmark has them."""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from intertwiner.data.splits import group_split

__all__ = ["FRACTIONS", "official_parts", "parts_of"]

FRACTIONS: Final = {"train": 0.8, "validation": 0.1, "test": 0.1}
Indices = NDArray[np.int64]
Parts = dict[str, Indices]


def parts_of(scaffold: Indices, identity: Indices, seed: int) -> dict[str, Parts]:
    """random: the rows of one molecule stay together. scaffold: all molecules of a scaffold, too.
    official: the released code's, rows in its order, the same for every seed.
    """
    return {
        "random": group_split(identity.tolist(), FRACTIONS, seed),
        "scaffold": group_split(scaffold.tolist(), FRACTIONS, seed),
        "official": official_parts(len(scaffold)),
    }


def official_parts(rows: int) -> Parts:
    """The parts of the benchmark's released code, in its order: of a permutation by numpy's legacy
    generator (seed 42) the first 80 % train; torch's generator (seed 123) halves the rest.
    """
    order = np.random.RandomState(42).permutation(rows).astype(np.int64)
    train, rest = np.split(order, [int(0.8 * rows)])
    shuffled = torch.randperm(len(rest), generator=torch.Generator().manual_seed(123)).numpy()
    half = len(rest) // 2
    return {"train": train, "validation": rest[shuffled[:half]], "test": rest[shuffled[half:]]}
