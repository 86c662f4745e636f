"""How alike two surfaces are, when neither is turned: the mean distance after alignment of axes.

The axes are those of the vertices' covariance with the sign of their skewness; since that sign can
be unsure, the best of the four proper flips counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial import cKDTree
from scipy.spatial.distance import squareform

if TYPE_CHECKING:
    from intertwiner_gauge_mesh.datasets.rna_files import RnaSurface

__all__ = ["FLIPS", "aligned", "clusters", "distances", "sampled"]

Array = NDArray[np.float64]
FLIPS: Final = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]], dtype=np.float64)
"""Proper flips of the axes: the identity and half turns."""
SAMPLES: Final = 300


def aligned(points: Array) -> Array:
    """Points about their centre in their own axes, the widest first, right-handed."""
    centred = points - points.mean(axis=0)
    axes = np.linalg.svd(centred, full_matrices=False)[2]
    turned = centred @ axes.T
    skewness = np.sign((turned**3).sum(axis=0))
    skewness[skewness == 0] = 1
    axes = axes * skewness[:, None]
    axes[2] *= np.sign(np.linalg.det(axes))
    found: Array = centred @ axes.T
    return found


def sampled(points: NDArray[Any], count: int = SAMPLES) -> NDArray[Any]:
    """`count` rows spread evenly over the list, the same every time."""
    return points[np.linspace(0, len(points) - 1, min(count, len(points))).astype(int)]


def distances(surfaces: Sequence[RnaSurface]) -> Array:
    """[n, n], in the unit of the surfaces: 300 vertices of one to the nearest of the other, mean;
    best flip, smaller direction. Only vertices of faces count.
    """
    points = [aligned(surface.vertices[surface.referenced()[0]]) for surface in surfaces]
    trees = [cKDTree(item) for item in points]
    samples = [(sampled(item)[None] * FLIPS[:, None]).reshape(-1, 3) for item in points]
    one_way = np.zeros((len(points), len(points)))
    for row, sample in enumerate(samples):
        for column, tree in enumerate(trees):
            found = tree.query(sample)[0].reshape(len(FLIPS), -1)
            one_way[row, column] = found.mean(axis=1).min()
    return np.minimum(one_way, one_way.T)


def clusters(table: Array, threshold: float) -> NDArray[np.int64]:
    """The number, from 0, of the single-linkage cluster of each surface."""
    if len(table) == 1:
        return np.zeros(1, dtype=np.int64)
    found = linkage(squareform(table, checks=False), method="single")
    numbers: NDArray[np.int64] = fcluster(found, threshold, criterion="distance") - 1
    return numbers.astype(np.int64)
