"""Gradients of a scalar on a mesh by formulas: least squares at vertices, averages of faces."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from intertwiner_gauge_mesh.baselines.laplacian import vertex_gradients
from intertwiner_gauge_mesh.geometry.faces import measure_triangles
from intertwiner_gauge_mesh.plan import MeshPlan

__all__ = ["advected", "face_gradient", "least_squares_gradient"]


def least_squares_gradient(
    plan: MeshPlan, values: Float[Tensor, " vertices"]
) -> Float[Tensor, "vertices 3"]:
    """g minimising sum_q (u_q - u_p - g.d)^2 over the neighbours, g and d in the tangent plane."""
    step = values[plan.source] - values[plan.target]
    parts = [
        torch.zeros_like(values).index_add(0, plan.target, weight * step)
        for weight in vertex_gradients(plan)
    ]
    return (torch.stack(parts, 1)[:, None] @ plan.frame[:, :2]).squeeze(1)


def face_gradient(
    pos: Float[Tensor, "vertices 3"],
    face: Int[Tensor, "3 faces"],
    values: Float[Tensor, " vertices"],
) -> Float[Tensor, "vertices 3"]:
    """The constant gradients of linear functions on the faces around, averaged by area.

    On a face of normal n and area A: sum over corners c of u_c (n x e_c) / 2A, e_c the opposite
    edge counter-clockwise.
    """
    triangles = measure_triangles(pos, face)
    opposite = pos[face.roll(-2, 0)] - pos[face.roll(-1, 0)]
    turned = torch.linalg.cross(triangles.normal.expand_as(opposite), opposite)
    scaled = (values[face][..., None] * turned).sum(0) / 2
    total = torch.zeros_like(pos).index_add(0, face.flatten(), scaled.repeat(3, 1))
    areas = torch.zeros_like(values).index_add(0, face.flatten(), triangles.area.repeat(3))
    return total / areas.clamp(min=torch.finfo(areas.dtype).tiny)[:, None]


def advected(
    gradient: Float[Tensor, "vertices 3"], velocity: Float[Tensor, "vertices 3"]
) -> Float[Tensor, " vertices"]:
    """-v.grad u."""
    return -(gradient * velocity).sum(1)
