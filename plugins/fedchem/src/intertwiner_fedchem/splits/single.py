"""One client of a division, for the control that trains it alone.

Clients of a Dirichlet draw are exchangeable, so the first stands for any; over several seeds its
mean is the mean of all clients.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch_geometric.data import Data

from intertwiner.federated.partition import dirichlet_partition, groups_of
from intertwiner_fedchem.splits.official import official_partition

__all__ = ["first_client", "first_official_client"]

CLIENTS = 4
SMALLEST = 16
Indices = NDArray[np.int64]


def first_client(records: Sequence[Data], clients: int, seed: int, alpha: float) -> list[Indices]:
    """The first of four clients among which scaffolds are shared out; `clients` is 1."""
    groups = groups_of(records, "scaffold")
    return dirichlet_partition(groups, CLIENTS, alpha, seed, SMALLEST)[:clients]


def first_official_client(
    records: Sequence[Data], clients: int, seed: int, alpha: float
) -> list[Indices]:
    """The first of the benchmark's four clients; `clients` is 1."""
    return official_partition(records, CLIENTS, seed, alpha)[:clients]
