"""Ways to divide records into parts that are disjoint and together complete.

Every split is a pure function of its arguments and, being made from raw Philox words and SHA-256,
the same on every machine and with every version of numpy.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from intertwiner.errors import ConfigError

__all__ = ["group_split", "hash_split", "permutation", "random_split"]

Indices = NDArray[np.int64]


def permutation(count: int, *entropy: int) -> Indices:
    """A random order of `0 .. count - 1`, the same whenever `entropy` (whole, >= 0) is the same."""
    words = np.random.Philox(np.random.SeedSequence(entropy)).random_raw(count)
    return np.argsort(words, kind="stable").astype(np.int64)


def random_split(count: int, fractions: Mapping[str, float], seed: int) -> dict[str, Indices]:
    """Divides `count` records at random.

    fractions: part -> share of the records; the shares add up to 1. Sizes are exact to one record.
    Returns part -> record numbers in rising order.

    Raises `ConfigError` when the shares do not add up to 1 or one is negative.
    """
    bounds = [round(count * upper) for upper in _upper_bounds(fractions)]
    pieces = np.split(permutation(count, seed), bounds[:-1])
    return {part: np.sort(piece) for part, piece in zip(fractions, pieces, strict=True)}


def hash_split(
    keys: Sequence[str], fractions: Mapping[str, float], *, salt: str = ""
) -> dict[str, Indices]:
    """Divides records by the SHA-256 of their keys, such as InChIKeys.

    A record keeps its part whatever the order, and whichever records come or go; equal keys share
    a part. Sizes only approach `fractions` as the number of records grows. Another `salt` gives
    another split.

    Raises `ConfigError` as `random_split` does.
    """
    uppers = np.array(_upper_bounds(fractions)[:-1])
    places = np.array([_place(salt + key) for key in keys], dtype=np.float64)
    return _gather(fractions, np.searchsorted(uppers, places, side="right"))


def group_split(
    groups: Sequence[str] | Sequence[int], fractions: Mapping[str, float], seed: int
) -> dict[str, Indices]:
    """Divides records so that those of one group (scaffold, protein) stay in one part.

    groups: the group of every record. Groups are taken in random order, each for the part that
    is furthest below its share.

    Raises `ConfigError` as `random_split` does.
    """
    _upper_bounds(fractions)
    _, group_of, sizes = np.unique(np.asarray(groups), return_inverse=True, return_counts=True)
    missing = np.array(list(fractions.values())) * len(groups)
    part_of = np.zeros(len(sizes), dtype=np.int64)
    for group in permutation(len(sizes), seed):
        part_of[group] = missing.argmax()
        missing[part_of[group]] -= sizes[group]
    return _gather(fractions, part_of[group_of])


def _gather(parts: Mapping[str, float], part_of: NDArray[np.intp] | Indices) -> dict[str, Indices]:
    return {
        part: np.flatnonzero(part_of == number).astype(np.int64)
        for number, part in enumerate(parts)
    }


def _place(key: str) -> float:
    """Where `key` falls in [0, 1)."""
    word = int.from_bytes(hashlib.sha256(key.encode()).digest()[:6], "big")
    return word / 2**48


def _upper_bounds(fractions: Mapping[str, float]) -> list[float]:
    """The running sums of the shares; the last is 1."""
    shown = ", ".join(f"{part}={share}" for part, share in fractions.items())
    if not all(share >= 0 for share in fractions.values()):
        raise ConfigError(f"split fractions {shown}: each must be 0 or more")
    total = math.fsum(fractions.values())
    if abs(total - 1) > 1e-6:
        raise ConfigError(f"split fractions {shown} add up to {total:g}; make them add up to 1")
    return [*np.cumsum(list(fractions.values()))[:-1].clip(max=1.0).tolist(), 1.0]
