"""Who is whose neighbour: every edge of a face in both directions, once, sorted by the target."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Bool, Int
from torch import Tensor

__all__ = ["EdgeTable", "half_edges", "row_pointers", "sort_pairs", "tabulate_edges"]


class EdgeTable(NamedTuple):
    """The edges of the faces, without direction, each once, and who has them.

    low < high: the ends. faces: how many faces have the edge. order: the half edges (see
    `half_edges`) with different ends, edge after edge; the first of edge i is at order[start[i]].
    """

    low: Int[Tensor, " edges"]
    high: Int[Tensor, " edges"]
    faces: Int[Tensor, " edges"]
    order: Int[Tensor, " halves"]
    start: Int[Tensor, " edges"]

    def two_way(self, vertices: int) -> tuple[Int[Tensor, " directed"], Int[Tensor, " directed"]]:
        """(target p, source q) of all edges in both directions, sorted by p, then q."""
        upward, downward = self.low * vertices + self.high, self.high * vertices + self.low
        return _unpack(torch.cat([upward, downward]).sort().values, vertices)

    def boundary(self, vertices: int) -> Bool[Tensor, " vertices"]:
        """Vertices on an edge that has one face only."""
        alone = self.faces == 1
        flags = torch.zeros(vertices, dtype=torch.bool, device=self.low.device)
        flags[self.low[alone]] = True
        flags[self.high[alone]] = True
        return flags


def half_edges(
    face: Int[Tensor, "3 faces"],
) -> tuple[Int[Tensor, " corners"], Int[Tensor, " corners"]]:
    """(from, to) along each face's winding, face after face: (a, b), (b, c), (c, a)."""
    return face.T.reshape(-1), face.roll(-1, 0).T.reshape(-1)


def tabulate_edges(face: Int[Tensor, "3 faces"], vertices: int) -> EdgeTable:
    """All edges of the faces; those from a vertex to itself are left out."""
    start, end = half_edges(face)
    key = torch.minimum(start, end) * vertices + torch.maximum(start, end)
    key, order = key.sort(stable=True)
    if bool((start == end).any()):
        real = (start != end)[order]
        key, order = key[real], order[real]
    edge, counts = torch.unique_consecutive(key, return_counts=True)
    low, high = _unpack(edge, vertices)
    return EdgeTable(low, high, counts, order, counts.cumsum(0) - counts)


def sort_pairs(
    target: Int[Tensor, " pairs"], source: Int[Tensor, " pairs"], vertices: int
) -> tuple[Int[Tensor, " edges"], Int[Tensor, " edges"]]:
    """The pairs without repetition and without (p, p), by target and then by source."""
    keep = target != source
    return _unpack(torch.unique(target[keep] * vertices + source[keep]), vertices)


def row_pointers(target: Int[Tensor, " edges"], vertices: int) -> Int[Tensor, " vertices_plus_1"]:
    """Edges indptr[p] to indptr[p + 1] are those of target p, for sorted targets."""
    counts = torch.bincount(target, minlength=vertices)
    return torch.cat([counts.new_zeros(1), counts.cumsum(0)])


def _unpack(key: Int[Tensor, " pairs"], vertices: int) -> tuple[Tensor, Tensor]:
    first = torch.div(key, vertices, rounding_mode="floor")
    return first, key - first * vertices
