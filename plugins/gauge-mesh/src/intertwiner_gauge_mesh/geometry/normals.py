"""Vertex normals: the faces around a vertex, each as much as its interior angle there."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from intertwiner_gauge_mesh.errors import InvalidMesh
from intertwiner_gauge_mesh.geometry.faces import Triangles
from intertwiner_gauge_mesh.geometry.transport import dot

__all__ = ["NormalWeights", "OnZeroNormal", "fit_normals", "vertex_normals"]

NormalWeights = Literal["angle", "area"]
OnZeroNormal = Literal["error", "pca"]
VANISHING = 1e-8
"""Length of the weighted sum below which faces cancel, in units of the sum of weights."""
CANCELLED = 1e-3
"""Length of the sum of neighbours' unit normals below which it tells no side."""


def vertex_normals(
    face: Int[Tensor, "3 faces"],
    triangles: Triangles,
    vertices: int,
    weights: NormalWeights = "angle",
) -> tuple[Float[Tensor, "vertices 3"], Bool[Tensor, " vertices"]]:
    """(unit normals, where they vanish). Vertices of no face have the normal (0, 0, 1).

    n_p = normalise(sum over faces f at p of w_pf n_f), w the interior angle at p or the area.
    """
    weight = triangles.angle if weights == "angle" else triangles.area.expand(3, -1)
    owner = face.flatten()
    parts = (weight[..., None] * triangles.normal).reshape(-1, 3)
    total = parts.new_zeros(vertices, 3).index_add(0, owner, parts)
    scale = weight.new_zeros(vertices).index_add(0, owner, weight.flatten())
    used = torch.zeros(vertices, dtype=torch.bool, device=face.device)
    used[owner] = True
    square = dot(total, total)
    zero = square.sqrt() <= VANISHING * scale
    up = torch.zeros_like(total)
    up[:, 2] = 1.0
    length = torch.where(zero, torch.ones_like(square), square).sqrt()
    return torch.where(zero[:, None], up, total / length[:, None]), zero & used


def fit_normals(
    pos: Float[Tensor, "vertices 3"],
    normals: Float[Tensor, "vertices 3"],
    missing: Bool[Tensor, " vertices"],
    target: Int[Tensor, " edges"],
    source: Int[Tensor, " edges"],
    on_zero: OnZeroNormal,
) -> Float[Tensor, "vertices 3"]:
    """Normals with those that are `missing` fitted to the neighbours, or an error for the first.

    The fit is the mean of the neighbours' normals; where those cancel too, the direction in which
    the neighbours spread least about the vertex.
    """
    rows = missing.nonzero().flatten()
    if len(rows) == 0:
        return normals
    if on_zero == "error":
        raise InvalidMesh(
            f"the faces around vertex {int(rows[0])} cancel: it has no normal ({len(rows)} such "
            "vertices). Repair the mesh, or pass on_zero_normal='pca' to fit one"
        )
    chosen = missing[target]
    target, source = target[chosen], source[chosen]
    offset = pos[source] - pos[target]
    outer = offset[:, :, None] * offset[:, None, :]
    spread = pos.new_zeros(len(pos), 3, 3).index_add(0, target, outer)
    around = torch.where(missing[source, None], torch.zeros_like(offset), normals[source])
    side = pos.new_zeros(len(pos), 3).index_add(0, target, around)
    side, spread = side[rows], spread[rows]
    length = side.norm(dim=-1, keepdim=True)
    flattest = torch.linalg.eigh(spread).eigenvectors[:, :, 0]
    mean = side / length.clamp(min=VANISHING)
    return normals.index_copy(0, rows, torch.where(length > CANCELLED, mean, flattest))
