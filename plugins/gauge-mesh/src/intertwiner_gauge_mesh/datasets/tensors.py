"""Symmetric tensors in space: as irreps of O(3), and their parts in a tangent plane."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["irreps_of_symmetric", "symmetric_of_irreps", "tangential_deviator"]


def irreps_of_symmetric(tensors: Float[Tensor, "n 3 3"]) -> Float[Tensor, "n 6"]:
    """One component of order 0, then five of order 2, in e3nn's basis; norms are kept.

    Order 0 is the trace over sqrt 3; order 2 is (xz, xy, yy, yz, zz - xx) of the trace-free part.
    """
    x, y, z = 0, 1, 2
    t = tensors
    columns = [
        (t[:, x, x] + t[:, y, y] + t[:, z, z]) / math.sqrt(3),
        math.sqrt(2) * t[:, x, z],
        math.sqrt(2) * t[:, x, y],
        (2 * t[:, y, y] - t[:, x, x] - t[:, z, z]) / math.sqrt(6),
        math.sqrt(2) * t[:, y, z],
        (t[:, z, z] - t[:, x, x]) / math.sqrt(2),
    ]
    return torch.stack(columns, 1)


def symmetric_of_irreps(irreps: Float[Tensor, "n 6"]) -> Float[Tensor, "n 3 3"]:
    """The inverse of `irreps_of_symmetric`."""
    trace, xz, xy, yy, yz, zz = irreps.unbind(1)
    third = trace / math.sqrt(3)
    y2 = third + 2 * yy / math.sqrt(6)
    x2 = third - yy / math.sqrt(6) - zz / math.sqrt(2)
    z2 = third - yy / math.sqrt(6) + zz / math.sqrt(2)
    xy, xz, yz = (part / math.sqrt(2) for part in (xy, xz, yz))
    rows = torch.stack([x2, xy, xz, xy, y2, yz, xz, yz, z2], 1)
    return rows.reshape(-1, 3, 3)


def tangential_deviator(
    tensors: Float[Tensor, "n 3 3"], normals: Float[Tensor, "n 3"]
) -> Float[Tensor, "n 3 3"]:
    """The part of P B P without trace in the plane, P = I - n n^T."""
    identity = torch.eye(3, dtype=tensors.dtype, device=tensors.device)
    plane = identity - normals[:, :, None] * normals[:, None, :]
    flat = plane @ tensors @ plane
    trace = flat.diagonal(dim1=1, dim2=2).sum(1)
    return flat - 0.5 * trace[:, None, None] * plane
