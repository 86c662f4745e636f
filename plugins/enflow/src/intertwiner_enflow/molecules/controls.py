"""Molecules spoilt on purpose: what the figures read when a generator has learned less."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch_geometric.data import Data

__all__ = ["displaced", "gaussian_cloud", "shuffled_types"]


def displaced(records: Sequence[Data], deviation: float, generator: torch.Generator) -> list[Data]:
    """Every coordinate moved by Gaussian noise of `deviation` angstrom."""
    return [
        _record(record.z, record.pos + deviation * _noise(record, generator)) for record in records
    ]


def shuffled_types(records: Sequence[Data], generator: torch.Generator) -> list[Data]:
    """The elements of every molecule dealt out anew among its places."""
    return [
        _record(record.z[torch.randperm(len(record.z), generator=generator)], record.pos)
        for record in records
    ]


def gaussian_cloud(records: Sequence[Data], generator: torch.Generator) -> list[Data]:
    """The elements of every molecule at places drawn from a Gaussian of the set's own width."""
    square = sum(float((record.pos - record.pos.mean(0)).square().sum()) for record in records)
    freedom = sum(3 * (len(record.z) - 1) for record in records)
    width = (square / max(1, freedom)) ** 0.5
    return [_record(record.z, width * _noise(record, generator)) for record in records]


def _noise(record: Data, generator: torch.Generator) -> torch.Tensor:
    return torch.randn(record.pos.shape, generator=generator, dtype=record.pos.dtype)


def _record(z: torch.Tensor, pos: torch.Tensor) -> Data:
    return Data(z=z, pos=pos, num_nodes=len(z))
