"""What no learning achieves on the RNA surfaces: labels copied from the most similar surface."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from intertwiner_gauge_mesh.datasets.rna_files import RnaSurface
from intertwiner_gauge_mesh.datasets.rna_similarity import FLIPS, aligned, sampled

__all__ = ["alignment_control", "majority_control", "place_control", "whole_surface_labels"]

Array = NDArray[np.float64]
_CHOICE = 300
_POOLED = 1500
_VOTES = 12


def alignment_control(
    training: Sequence[RnaSurface], test: Sequence[RnaSurface]
) -> dict[str, float]:
    """Name of a test surface -> share of its used vertices that get their true label.

    Each is aligned by its own axes; of all training surfaces and proper flips the one with the
    smallest mean distance of 300 vertices gives the nearest vertex's label.
    """
    known = [_Aligned(surface) for surface in training]
    return {surface.name: _copied(known, _Aligned(surface)) for surface in test}


class _Aligned:
    """A surface in its own axes: points and labels of used vertices, and a tree for queries."""

    def __init__(self, surface: RnaSurface) -> None:
        used, _ = surface.referenced()
        self.points = aligned(surface.vertices[used])
        self.labels = surface.labels[used]
        self.tree = cKDTree(self.points)


def _copied(training: Sequence[_Aligned], test: _Aligned) -> float:
    sample = (sampled(test.points, _CHOICE)[None] * FLIPS[:, None]).reshape(-1, 3)
    scores = np.stack(
        [item.tree.query(sample)[0].reshape(len(FLIPS), -1).mean(axis=1) for item in training]
    )
    number, flip = np.unravel_index(int(scores.argmin()), scores.shape)
    chosen = training[int(number)]
    nearest = chosen.tree.query(test.points * FLIPS[int(flip)])[1]
    return float((chosen.labels[nearest] == test.labels).mean())


def place_control(training: Sequence[RnaSurface], test: Sequence[RnaSurface]) -> dict[str, float]:
    """Name of a test surface -> share of 1,500 of its vertices that get their true label.

    Each surface is aligned by its own axes; the 12 nearest of 1,500 vertices of every training
    surface vote. It is what the place of a vertex tells of its label, without the shape around it.
    """
    known = [_Aligned(surface) for surface in training]
    tree = cKDTree(np.concatenate([sampled(item.points, _POOLED) for item in known]))
    labels = np.concatenate([sampled(item.labels, _POOLED) for item in known])
    found = {}
    for surface in test:
        item = _Aligned(surface)
        votes = labels[tree.query(sampled(item.points, _POOLED), _VOTES)[1]]
        winners = np.array([np.bincount(row + 1).argmax() - 1 for row in votes])
        found[surface.name] = float((winners == sampled(item.labels, _POOLED)).mean())
    return found


def majority_control(training: Sequence[RnaSurface], test: Sequence[RnaSurface]) -> float:
    """Mean over test surfaces of the share of the commonest training label."""
    joined = np.concatenate([item.labels[item.referenced()[0]] for item in training]) + 1
    commonest = int(np.bincount(joined).argmax()) - 1
    shares = [(item.labels[item.referenced()[0]] == commonest).mean() for item in test]
    return float(np.mean(shares))


def whole_surface_labels(surface: RnaSurface, predicted: NDArray[np.int64]) -> NDArray[np.int64]:
    """Labels of all vertices: those of no face get that of the nearest used vertex.

    predicted: of the used vertices, in their order. Published accuracies count all vertices.
    """
    used, _ = surface.referenced()
    nearest = cKDTree(surface.vertices[used]).query(surface.vertices)[1]
    found: NDArray[np.int64] = predicted[nearest]
    return found
