"""Frames of the tangent planes: rows X, Y and the normal n, with Y = n x X.

A frame is a free choice ("gauge"); every choice gives the same result of an equivariant network.
The default one projects the coordinate axis that is least along the normal, which never fails.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from intertwiner_gauge_mesh.errors import InvalidInput

__all__ = ["axis_frames", "directed_frames", "first_neighbour_frames", "turned"]

SHORT = 1e-6


def axis_frames(normal: Float[Tensor, "vertices 3"]) -> Float[Tensor, "vertices 3 3"]:
    """X_p = normalise((1 - n n^T) e_k), k the axis of the smallest |n_k|."""
    axis = torch.nn.functional.one_hot(normal.detach().abs().argmin(1), 3).to(normal)
    return _frames(normal, _tangent(normal, axis))


def directed_frames(
    normal: Float[Tensor, "vertices 3"], direction: Float[Tensor, "vertices 3"]
) -> Float[Tensor, "vertices 3 3"]:
    """X along the tangent part of `direction`.

    Raises `InvalidInput` naming the vertex where that part is less than 1e-6 of its length.
    """
    tangent = _tangent(normal, direction)
    short = tangent.detach().norm(dim=-1) <= SHORT * direction.detach().norm(dim=-1)
    if bool(short.any()):
        vertex = int(short.nonzero()[0])
        raise InvalidInput(
            f"frame direction {direction[vertex].tolist()} of vertex {vertex} has no part in the "
            "tangent plane: give another direction"
        )
    return _frames(normal, tangent)


def first_neighbour_frames(
    pos: Float[Tensor, "vertices 3"],
    normal: Float[Tensor, "vertices 3"],
    target: Int[Tensor, " pairs"],
    source: Int[Tensor, " pairs"],
) -> Float[Tensor, "vertices 3 3"]:
    """X towards the first listed neighbour; vertices without one have the default frame."""
    places = torch.arange(len(target), device=pos.device)
    none = len(target)
    first = torch.full((len(pos),), none, device=pos.device).scatter_reduce(
        0, target, places, "amin"
    )
    known = first < none
    rows = known.nonzero().flatten()
    frames = axis_frames(normal)
    direction = pos[source[first[rows]]] - pos[rows]
    return frames.index_copy(0, rows, directed_frames(normal[rows], direction))


def turned(
    frames: Float[Tensor, "vertices 3 3"], angle: Float[Tensor, " vertices"]
) -> Float[Tensor, "vertices 3 3"]:
    """The frames turned counter-clockwise about the normal, angles in radian."""
    x, y, normal = frames.unbind(1)
    cos, sin = angle.cos()[:, None], angle.sin()[:, None]
    return torch.stack([cos * x + sin * y, cos * y - sin * x, normal], 1)


def _tangent(normal: Tensor, vectors: Tensor) -> Float[Tensor, "vertices 3"]:
    return vectors - (normal * vectors).sum(-1, keepdim=True) * normal


def _frames(normal: Tensor, tangent: Tensor) -> Float[Tensor, "vertices 3 3"]:
    x = torch.nn.functional.normalize(tangent, dim=-1, eps=0.0)
    return torch.stack([x, torch.linalg.cross(normal, x), normal], 1)
