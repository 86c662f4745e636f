"""The benchmark's division among clients, bit for bit, with its faults (Zhu et al., 2109.07258).

Scaffolds are shared out by a Dirichlet draw whose generator starts anew for every scaffold, clients
that are full get nothing, the last scaffold is never dealt, and the run's seed plays no part. Kept
as it is for comparison; `--federation.partition dirichlet` is the division as it is meant.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch_geometric.data import Data

from intertwiner.errors import ConfigError

__all__ = ["official_clients", "official_partition", "sampled_clients"]

Indices = NDArray[np.int64]
SMALLEST = 64
LAST_SEED = 1002


def official_partition(
    records: Sequence[Data], clients: int, seed: int, alpha: float
) -> list[Indices]:
    """For `--federation.partition intertwiner_fedchem.splits.official:official_partition` with the
    records in the order of the split "official". `seed` changes nothing.

    Raises `ConfigError` where the released code would go on with clients that are too small.
    """
    scaffolds = np.array([int(record.scaffold) for record in records], dtype=np.int64)
    found = official_clients(scaffolds, clients, alpha)
    sizes = [len(part) for part in found]
    if min(sizes) < SMALLEST:
        raise ConfigError(
            f"federation: {clients} clients at alpha {alpha} of {len(scaffolds)} molecules: the "
            f"smallest of {sizes} stays below {SMALLEST} after {LAST_SEED - 1} tries; ask for "
            "fewer clients, or use --federation.partition dirichlet"
        )
    return found


def official_clients(scaffolds: Indices, clients: int, alpha: float) -> list[Indices]:
    """Positions of every client, as lists in the released code's order.

    scaffolds: [training molecules] numbers in the order of the training part. After 1001 tries the
    last division stands, whatever its sizes.
    """
    labels = np.unique(scaffolds, return_inverse=True)[1] + 1
    for seed in range(2, LAST_SEED + 1):
        parts, random = _deal(labels, clients, alpha, seed)
        if min(map(len, parts)) >= SMALLEST:
            break
    return [_shuffled(np.array(part, dtype=np.int64), random) for part in parts]


def _deal(
    labels: Indices, clients: int, alpha: float, seed: int
) -> tuple[list[list[int]], np.random.RandomState]:
    """One try. Classes 0 (empty) to K - 1 are dealt, K is not."""
    parts: list[list[int]] = [[] for _ in range(clients)]
    random = np.random.RandomState(seed)
    for label in range(int(labels.max())):
        members = np.flatnonzero(labels == label)
        random = np.random.RandomState(seed)
        random.shuffle(members)
        shares = random.dirichlet(np.repeat(alpha, clients))
        open_ = np.array([len(part) < len(labels) / clients for part in parts])
        cuts = _cuts(shares * open_, len(members))
        for part, piece in zip(parts, np.split(members, cuts), strict=True):
            part += piece.tolist()
    return parts, random


def _cuts(shares: NDArray[np.float64], members: int) -> Indices:
    """Where a class is cut. With every client full the shares are 0/0, and all the cuts, whole
    numbers made of NaN, are the most negative: everything goes to the last client.
    """
    if shares.sum() == 0:
        return np.zeros(len(shares) - 1, dtype=np.int64)
    return (np.cumsum(shares / shares.sum()) * members).astype(np.int64)[:-1]


def _shuffled(part: Indices, random: np.random.RandomState) -> Indices:
    random.shuffle(part)
    return part


def sampled_clients(round_number: int, clients: int) -> list[int]:
    """The clients that the released code asks in a round: 3 of 4 or 5, 4 of 6 or 7, 6 of 8."""
    count = {4: 3, 5: 3, 6: 4, 7: 4, 8: 6}[clients]
    random = np.random.RandomState(round_number)
    chosen: list[int] = random.choice(clients, count, replace=False).tolist()
    return chosen
