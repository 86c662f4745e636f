"""Vertices at the same place made one: between them no direction is defined."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

__all__ = ["weld"]


def weld(
    pos: Float[Tensor, "vertices 3"],
) -> tuple[Int[Tensor, " kept"], Int[Tensor, " vertices"]] | None:
    """(number of the vertex kept at each place, place of every vertex); None if all differ.

    Places are numbered by their first vertex, so that a mesh without coincident vertices keeps
    its order.
    """
    if _all_differ(pos.detach()):
        return None
    values, place = torch.unique(pos.detach() + 0.0, dim=0, return_inverse=True)
    if len(values) == len(pos):
        return None
    numbers = torch.arange(len(pos), device=pos.device)
    first = torch.full((len(values),), len(pos), device=pos.device).scatter_reduce(
        0, place, numbers, "amin"
    )
    kept, order = first.sort()
    rank = torch.empty_like(order)
    rank[order] = torch.arange(len(order), device=pos.device)
    return kept, rank[place]


def _all_differ(pos: Float[Tensor, "vertices 3"]) -> bool:
    """Whether a number made of the coordinates differs for all; a quick answer that suffices."""
    x, y, z = pos.unbind(1)
    key = (x * 0.7548776662 + y * 0.5698402910 + z * 0.3819660113).sort().values
    return not bool((key[1:] == key[:-1]).any())
