"""Histograms that generated molecules share with true ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor
from torch_geometric.data import Data

__all__ = ["distance_divergence", "distance_histogram", "elements", "sizes"]

_BINS: Final = 100
_REACH: Final = 13.0
_FILL: Final = 1e-10


def elements(records: Iterable[Data]) -> Counter[int]:
    """Element -> number of atoms."""
    return Counter(number for record in records for number in record.z.tolist())


def sizes(records: Iterable[Data]) -> Counter[int]:
    """Number of atoms -> number of molecules."""
    return Counter(len(record.z) for record in records)


def distance_histogram(records: Sequence[Data]) -> Float[Tensor, " bins"]:
    """Shares of the distances of all pairs of atoms, 100 bins from 0 to 13 angstrom."""
    total = torch.zeros(_BINS, dtype=torch.float64)
    for record in records:
        total += torch.histc(torch.pdist(record.pos.double()), _BINS, 0.0, _REACH)
    return total / total.sum().clamp(min=1.0)


def distance_divergence(first: Sequence[Data], second: Sequence[Data]) -> float:
    """The Jensen-Shannon divergence of two `distance_histogram`s, in nats.

    1e-10 is added to every bin, so that empty ones count.
    """
    one, other = (distance_histogram(records) + _FILL for records in (first, second))
    middle = 0.5 * (one + other)
    return 0.5 * float((one * (one / middle).log() + other * (other / middle).log()).sum())
