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
    key, order = _key(pos.detach()).sort(stable=True)
    same = key[1:] == key[:-1]
    if not bool(same.any()):
        return None
    ordered = pos.detach()[order]
    if not bool((ordered[1:] == ordered[:-1]).all(1)[same].all()):
        # Different places with one key, which hardly ever happens: compare the coordinates.
        place = torch.unique(pos.detach() + 0.0, dim=0, return_inverse=True)[1]
    else:
        rank = torch.cat([same.new_zeros(1), ~same]).cumsum(0)
        place = torch.empty_like(order)
        place[order] = rank
    return _by_first_vertex(place, int(place.max()) + 1)


def _key(pos: Float[Tensor, "vertices 3"]) -> Float[Tensor, " vertices"]:
    """A number made of the coordinates, equal for equal places."""
    x, y, z = pos.unbind(1)
    return x * 0.7548776662 + y * 0.5698402910 + z * 0.3819660113


def _by_first_vertex(
    place: Int[Tensor, " vertices"], places: int
) -> tuple[Int[Tensor, " kept"], Int[Tensor, " vertices"]] | None:
    if places == len(place):
        return None
    numbers = torch.arange(len(place), device=place.device)
    first = torch.full((places,), len(place), device=place.device).scatter_reduce(
        0, place, numbers, "amin"
    )
    kept, order = first.sort()
    rank = torch.empty_like(order)
    rank[order] = torch.arange(len(order), device=place.device)
    return kept, rank[place]
