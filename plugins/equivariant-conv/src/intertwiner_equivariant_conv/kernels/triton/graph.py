"""Edges in rows: by target, where they lie already, and by source."""

from __future__ import annotations

import torch
from jaxtyping import Int
from torch import Tensor
from torch.utils.weak import WeakTensorKeyDictionary

__all__ = ["by_source", "row_starts"]

Grouped = tuple[Int[Tensor, " nodes+1"], Int[Tensor, " edges"]]

_kept = WeakTensorKeyDictionary()
"""The grouping of a tensor of sources, with its version and the number of nodes, while it lives."""


def row_starts(ends: Int[Tensor, " edges"], nodes: int) -> Int[Tensor, " nodes+1"]:
    """Edges row_starts[n] to row_starts[n + 1] have end n; `ends` are sorted."""
    numbers = torch.arange(nodes + 1, device=ends.device)
    return torch.searchsorted(ends.contiguous(), numbers)


def by_source(source: Int[Tensor, " edges"], nodes: int) -> Grouped:
    """(starts, order): edges order[starts[n]] to order[starts[n + 1]] start at n, in their order.

    Kept as long as the tensor lives, so that the layers of a network sort once.
    """
    version = (-1 if source.is_inference() else source._version, nodes)
    known = _kept.get(source)
    if known is not None and known[0] == version and version[0] >= 0:
        grouped: Grouped = known[1]
        return grouped
    ordered, order = torch.sort(source, stable=True)
    grouped = row_starts(ordered, nodes), order
    _kept[source] = version, grouped
    return grouped
