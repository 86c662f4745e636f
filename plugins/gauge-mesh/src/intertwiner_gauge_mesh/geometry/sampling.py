"""Coarser points of a surface: farthest-point samples, who belongs to them, who is near.

Computed once per mesh on the CPU. Nothing is drawn at random: the first point is the one farthest
from the centre, and equal distances are decided by coordinates.
"""

from __future__ import annotations

import itertools
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

__all__ = ["Neighbourhood", "farthest_points", "near_pairs", "nearest_along", "surface_graph"]

Neighbourhood = Literal["surface", "euclid"]
Points = NDArray[np.float64]
Indices = NDArray[np.int64]

CHUNK = 256


def farthest_points(pos: Points, candidates: Indices, count: int) -> Indices:
    """`count` of the candidates, each farthest from those before it."""
    order = candidates[np.lexsort(pos[candidates].T)]
    points = pos[order]
    chosen = int(np.argmax(((points - points.mean(0)) ** 2).sum(1)))
    nearest = np.full(len(points), np.inf)
    found = np.empty(min(count, len(points)), dtype=np.int64)
    for rank in range(len(found)):
        found[rank] = chosen
        np.minimum(nearest, ((points - points[chosen]) ** 2).sum(1), out=nearest)
        nearest[chosen] = -1.0
        chosen = int(np.argmax(nearest))
    return order[found]


def surface_graph(target: Indices, source: Indices, length: Points, vertices: int) -> csr_array:
    """Edge lengths as a sparse matrix, for shortest paths along the mesh."""
    return coo_array((length, (target, source)), shape=(vertices, vertices)).tocsr()


def nearest_along(graph: csr_array, pos: Points, centres: Indices) -> Indices:
    """For every vertex the rank of the nearest of `centres` along the surface.

    Where no path leads to any (another component without one), the nearest in space.
    """
    _, _, source = dijkstra(graph, indices=centres, min_only=True, return_predecessors=True)
    rank = np.full(len(pos), -1, dtype=np.int64)
    rank[centres] = np.arange(len(centres))
    found: Indices = np.where(source >= 0, rank[np.maximum(source, 0)], -1)
    lost = np.flatnonzero(found < 0)
    if len(lost):
        found[lost] = cKDTree(pos[centres]).query(pos[lost])[1]
    return found


def near_pairs(
    graph: csr_array,
    pos: Points,
    centres: Indices,
    radius: float,
    most: int,
    neighbourhood: Neighbourhood,
) -> tuple[Indices, Indices]:
    """(target, source) ranks of centres within `radius`, in both directions.

    "surface": those that a path of at most twice the radius joins. Of more than `most`
    neighbours the nearest are kept, and whoever keeps a neighbour is kept by it.
    """
    pairs = cKDTree(pos[centres]).query_pairs(radius, output_type="ndarray").astype(np.int64)
    if neighbourhood == "surface" and len(pairs):
        pairs = pairs[_joined(graph, centres, pairs, 2 * radius)]
    both = np.concatenate([pairs, pairs[:, ::-1]])
    both = both[_nearest_only(pos[centres], both, most)]
    target, source = np.concatenate([both, both[:, ::-1]]).T
    return target, source


def _joined(graph: csr_array, centres: Indices, pairs: Indices, limit: float) -> NDArray[np.bool_]:
    """Whether a path of at most `limit` leads from the first to the second of each pair."""
    order = np.argsort(pairs[:, 0], kind="stable")
    joined = np.zeros(len(pairs), dtype=bool)
    bounds = np.searchsorted(pairs[order, 0], np.arange(0, len(centres) + CHUNK, CHUNK))
    for number, (start, stop) in enumerate(itertools.pairwise(bounds)):
        if start == stop:
            continue
        first = number * CHUNK
        distance = dijkstra(graph, indices=centres[first : first + CHUNK], limit=limit)
        rows = order[start:stop]
        reached = distance[pairs[rows, 0] - first, centres[pairs[rows, 1]]]
        joined[rows] = np.isfinite(reached)
    return joined


def _nearest_only(points: Points, pairs: Indices, most: int) -> NDArray[np.bool_]:
    """True for the `most` nearest sources of each target."""
    length = ((points[pairs[:, 0]] - points[pairs[:, 1]]) ** 2).sum(1)
    order = np.lexsort((*points[pairs[:, 1]].T, length, pairs[:, 0]))
    target = pairs[order, 0]
    begin = np.searchsorted(target, target)
    keep = np.zeros(len(pairs), dtype=bool)
    keep[order] = np.arange(len(pairs)) - begin < most
    return keep
