"""Areas, normals and interior angles of triangles; those without area count for nothing."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from intertwiner_gauge_mesh.geometry.transport import dot

__all__ = ["Triangles", "measure_triangles", "vertex_areas"]

DEGENERATE = 1e-12
"""Area below which a face has no direction, in median areas."""


class Triangles(NamedTuple):
    """area [F]; unit normal [F, 3], zero where degenerate; interior angle at each corner [3, F]."""

    area: Float[Tensor, " faces"]
    normal: Float[Tensor, "faces 3"]
    angle: Float[Tensor, "3 faces"]
    degenerate: Bool[Tensor, " faces"]


def measure_triangles(pos: Float[Tensor, "vertices 3"], face: Int[Tensor, "3 faces"]) -> Triangles:
    """Counter-clockwise corners seen from outside give outward normals."""
    corners = pos[face]
    ahead = corners.roll(-1, 0) - corners
    cross = torch.linalg.cross(ahead[0], -ahead[2])
    length = _norm(cross)
    cosine = torch.stack([-dot(ahead[i], ahead[i - 1]) for i in range(3)])
    degenerate = 0.5 * length <= DEGENERATE * 0.5 * length.median()
    safe = torch.where(degenerate, torch.ones_like(length), length)
    normal = torch.where(degenerate[:, None], torch.zeros_like(cross), cross / safe[:, None])
    angle = torch.atan2(length.expand(3, -1), cosine)
    angle = torch.where(degenerate, torch.zeros_like(angle), angle)
    return Triangles(0.5 * length, normal, angle, degenerate)


def vertex_areas(
    area: Float[Tensor, " faces"], face: Int[Tensor, "3 faces"], vertices: int
) -> Float[Tensor, " vertices"]:
    """One third of the area of the faces around each vertex."""
    shares = (area / 3).expand(3, -1)
    return area.new_zeros(vertices).index_add(0, face.flatten(), shares.flatten())


def _norm(vectors: Float[Tensor, "rows 3"]) -> Float[Tensor, " rows"]:
    """Length, with a zero gradient where it vanishes."""
    square = dot(vectors, vectors)
    zero = square == 0
    return torch.where(zero, torch.ones_like(square), square).sqrt().masked_fill(zero, 0.0)
