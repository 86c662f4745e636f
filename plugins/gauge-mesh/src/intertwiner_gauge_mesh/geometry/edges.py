"""Who is whose neighbour: every edge of a face in both directions, once, sorted by the target."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Int
from torch import Tensor

__all__ = ["boundary_vertices", "half_edges", "row_pointers", "sort_pairs", "two_way_edges"]


def half_edges(
    face: Int[Tensor, "3 faces"],
) -> tuple[Int[Tensor, " corners"], Int[Tensor, " corners"]]:
    """(from, to) along each face's winding, face after face: (a, b), (b, c), (c, a)."""
    return face.T.reshape(-1), face.roll(-1, 0).T.reshape(-1)


def sort_pairs(
    target: Int[Tensor, " pairs"], source: Int[Tensor, " pairs"], vertices: int
) -> tuple[Int[Tensor, " edges"], Int[Tensor, " edges"]]:
    """The pairs without repetition and without (p, p), by target and then by source."""
    keep = target != source
    key = torch.unique(target[keep] * vertices + source[keep])
    return torch.div(key, vertices, rounding_mode="floor"), key % vertices


def two_way_edges(
    face: Int[Tensor, "3 faces"], vertices: int
) -> tuple[Int[Tensor, " edges"], Int[Tensor, " edges"]]:
    """(target p, source q) of all edges of the faces, in both directions, sorted by p, then q."""
    start, end = half_edges(face)
    return sort_pairs(torch.cat([start, end]), torch.cat([end, start]), vertices)


def row_pointers(target: Int[Tensor, " edges"], vertices: int) -> Int[Tensor, " vertices_plus_1"]:
    """Edges indptr[p] to indptr[p + 1] are those of target p, for sorted targets."""
    counts = torch.bincount(target, minlength=vertices)
    return torch.cat([counts.new_zeros(1), counts.cumsum(0)])


def boundary_vertices(face: Int[Tensor, "3 faces"], vertices: int) -> Bool[Tensor, " vertices"]:
    """Vertices on an edge that has one face only."""
    start, end = half_edges(face)
    low, high = torch.minimum(start, end), torch.maximum(start, end)
    key, counts = torch.unique((low * vertices + high)[low != high], return_counts=True)
    alone = key[counts == 1]
    flags = torch.zeros(vertices, dtype=torch.bool, device=face.device)
    flags[torch.div(alone, vertices, rounding_mode="floor")] = True
    flags[alone % vertices] = True
    return flags
