"""Vectors and symmetric tensors in space, as features in the frames of the surface, and back.

A vector v is the scalar v.n and the tangent vector (v.X, v.Y); a symmetric tensor T the scalars
(T_XX + T_YY) / 2 and T_nn, the vector (T_Xn, T_Yn) and the order-2 field
((T_XX - T_YY) / 2, T_XY). Tensors are given in the layout of `Irreps("0e+2e")`: see `to_irreps`.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = [
    "from_irreps",
    "tensors_from_frame",
    "tensors_to_frame",
    "to_irreps",
    "vectors_from_frame",
    "vectors_to_frame",
]


def vectors_to_frame(
    vectors: Float[Tensor, "vertices channels 3"], frame: Float[Tensor, "vertices 3 3"]
) -> tuple[Float[Tensor, "vertices channels"], Float[Tensor, "vertices 2 channels"]]:
    """(normal parts, tangent parts) of vectors in space."""
    parts = frame @ vectors.transpose(1, 2)
    return parts[:, 2], parts[:, :2]


def vectors_from_frame(
    normal: Float[Tensor, "vertices channels"],
    tangent: Float[Tensor, "vertices 2 channels"],
    frame: Float[Tensor, "vertices 3 3"],
) -> Float[Tensor, "vertices channels 3"]:
    """a X + b Y + c n."""
    parts = torch.cat([tangent, normal[:, None]], 1)
    return parts.transpose(1, 2) @ frame


def tensors_to_frame(
    tensors: Float[Tensor, "vertices channels 3 3"], frame: Float[Tensor, "vertices 3 3"]
) -> tuple[Tensor, Tensor, Tensor]:
    """(scalars [V, 2 channels], vectors [V, 2, channels], order 2 [V, 2, channels]).

    Scalars: half the tangent traces of all channels, then the normal parts.
    """
    m = frame[:, None] @ tensors @ frame.transpose(1, 2)[:, None]
    half = 0.5 * (m[..., 0, 0] + m[..., 1, 1])
    vector = torch.stack([m[..., 0, 2], m[..., 1, 2]], 1)
    bent = torch.stack([0.5 * (m[..., 0, 0] - m[..., 1, 1]), m[..., 0, 1]], 1)
    return torch.cat([half, m[..., 2, 2]], 1), vector, bent


def tensors_from_frame(
    scalars: Float[Tensor, "vertices 2*channels"],
    vector: Float[Tensor, "vertices 2 channels"],
    bent: Float[Tensor, "vertices 2 channels"],
    frame: Float[Tensor, "vertices 3 3"],
) -> Float[Tensor, "vertices channels 3 3"]:
    """The inverse of `tensors_to_frame`."""
    half, high = scalars.chunk(2, 1)
    (a, b), (c, d) = vector.unbind(1), bent.unbind(1)
    rows = [
        torch.stack([half + c, d, a], -1),
        torch.stack([d, half - c, b], -1),
        torch.stack([a, b, high], -1),
    ]
    m = torch.stack(rows, -2)
    return frame.transpose(1, 2)[:, None] @ m @ frame[:, None]


def to_irreps(tensors: Float[Tensor, "... 3 3"]) -> Float[Tensor, "... 6"]:
    """Symmetric tensors as (0e, 2e) in a norm-preserving basis, components in e3nn's order.

    trace / sqrt 3; xz sqrt 2, xy sqrt 2, (2yy - xx - zz) / sqrt 6, yz sqrt 2, (zz - xx) / sqrt 2.
    """
    return torch.einsum("kij,...ij->...k", _basis(tensors), tensors)


def from_irreps(values: Float[Tensor, "... 6"]) -> Float[Tensor, "... 3 3"]:
    """The inverse of `to_irreps`."""
    return torch.einsum("kij,...k->...ij", _basis(values), values)


def _basis(like: Tensor) -> Float[Tensor, "6 3 3"]:
    half = math.sqrt(0.5)
    basis = torch.zeros(6, 3, 3, dtype=torch.float64)
    basis[0] = torch.eye(3, dtype=torch.float64) / math.sqrt(3)
    for place, (i, j) in ((1, (0, 2)), (2, (0, 1)), (4, (1, 2))):
        basis[place, i, j] = basis[place, j, i] = half
    basis[3] = torch.diag(torch.tensor([-1.0, 2.0, -1.0], dtype=torch.float64)) / math.sqrt(6)
    basis[5] = torch.diag(torch.tensor([-half, 0.0, half], dtype=torch.float64))
    return basis.to(like)
