"""The cotangent Laplacian of a mesh, its lowest eigenpairs, and gradients at the vertices."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import eigsh
from torch import Tensor

from intertwiner_gauge_mesh.plan import MeshPlan

__all__ = ["Spectrum", "cotangent_laplacian", "spectrum"]

Array = NDArray[np.float64]
_SHIFT = -1e-8
_LARGEST_COTANGENT = 1e3
"""Of slivers, whose angles are no more than rounding."""


class Spectrum(NamedTuple):
    """values [k] from 0 up, vectors [v, k] with vectors^T M vectors = 1, mass [v]."""

    values: Float[Tensor, " k"]
    vectors: Float[Tensor, "vertices k"]
    mass: Float[Tensor, " vertices"]


def cotangent_laplacian(points: Array, faces: NDArray[np.int64]) -> tuple[sparse.csc_matrix, Array]:
    """(L [v, v] positive semi-definite, lumped mass [v]): (L u)_p = sum_q w_pq (u_p - u_q).

    w_pq is half the sum of the cotangents opposite to the edge; the mass is a third of the areas
    around. Vertices of no face get the mean mass.
    """
    count = len(points)
    rows, columns, weights = [], [], []
    corners = points[faces]
    area = np.linalg.norm(
        np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1
    )
    tiny = 1e-12 * max(float(np.median(area)), 1e-300)
    for corner in range(3):
        a, b = faces[:, (corner + 1) % 3], faces[:, (corner + 2) % 3]
        one, two = points[a] - corners[:, corner], points[b] - corners[:, corner]
        cotangent = (one * two).sum(axis=1) / np.maximum(area, tiny)
        half = 0.5 * np.clip(cotangent, -_LARGEST_COTANGENT, _LARGEST_COTANGENT)
        rows += [a, b, a, b]
        columns += [b, a, a, b]
        weights += [-half, -half, half, half]
    index = (np.concatenate(rows), np.concatenate(columns))
    stiffness = sparse.csc_matrix((np.concatenate(weights), index), shape=(count, count))
    mass = np.zeros(count)
    np.add.at(mass, faces.ravel(), np.repeat(area / 6, 3))
    mass[mass <= 0] = mass[mass > 0].mean()
    return stiffness, mass


def spectrum(points: Array, faces: NDArray[np.int64], count: int) -> Spectrum:
    """The `count` lowest eigenpairs of L x = lambda M x by shift and invert (scipy).

    Areas are scaled so that the mesh has area 1 for the solver; values are in the mesh's units.
    A mesh of fewer vertices has as many pairs as the solver can give, filled up with zeros.
    """
    stiffness, mass = cotangent_laplacian(points, faces)
    size = float(mass.sum())
    scaled = sparse.diags(mass / size, format="csc")
    found = min(count, len(points) - 2)
    start = np.ones(len(points))
    values, vectors = eigsh(stiffness, k=found, M=scaled, sigma=_SHIFT, v0=start)
    order = np.argsort(values)
    values, vectors = values[order].clip(min=0) / size, vectors[:, order] / np.sqrt(size)
    short = count - found
    return Spectrum(
        torch.from_numpy(np.pad(values, (0, short))),
        torch.from_numpy(np.pad(vectors, ((0, 0), (0, short)))),
        torch.from_numpy(mass),
    )


def vertex_gradients(plan: MeshPlan) -> tuple[Tensor, Tensor]:
    """Per edge the weights (g_X, g_Y) [e] with grad u = sum_q g (u_q - u_p): least squares."""
    offset = plan.pos[plan.source] - plan.pos[plan.target]
    d = (plan.frame[plan.target, :2] @ offset[:, :, None]).squeeze(-1)
    outer = (d[:, :, None] * d[:, None, :]).flatten(1)
    total = outer.new_zeros(plan.vertices, 4).index_add(0, plan.target, outer)
    a, b, c = total[:, 0], total[:, 1], total[:, 3]
    least = 1e-6 * (a + c).square() + torch.finfo(a.dtype).tiny
    determinant = (a * c - b * b).clamp(min=least)[plan.target]
    a, b, c = (item[plan.target] for item in (a, b, c))
    return (c * d[:, 0] - b * d[:, 1]) / determinant, (a * d[:, 1] - b * d[:, 0]) / determinant
