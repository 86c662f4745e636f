"""Rotations drawn uniformly."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["random_rotations"]


def random_rotations(
    count: int,
    dimension: int,
    generator: torch.Generator | None = None,
    dtype: torch.dtype = torch.float32,
) -> Float[Tensor, "count dim dim"]:
    """Proper rotations by the Haar measure: the Q of a Gaussian matrix with R's signs put in it.

    Angles drawn one by one (Euler angles) are not uniform.
    """
    shape = (count, dimension, dimension)
    q, r = torch.linalg.qr(torch.randn(shape, generator=generator, dtype=dtype))
    q = q * r.diagonal(dim1=-2, dim2=-1).sign().unsqueeze(-2)
    found = q.clone()
    found[..., 0] = q[..., 0] * torch.linalg.det(q).sign().unsqueeze(-1)
    return found
