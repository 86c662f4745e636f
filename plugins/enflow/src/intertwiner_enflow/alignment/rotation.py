"""The orthogonal map that turns one configuration onto another (Kabsch 1976; Umeyama 1991)."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["rotation"]


def rotation(
    x: Float[Tensor, "batch particles dim"], z: Float[Tensor, "batch particles dim"]
) -> Float[Tensor, "batch dim dim"]:
    """R in O(D) that minimises |z R - x|^2: with z^T x = U S V^T it is U V^T.

    Reflections are allowed. In the plane the answer is in closed form: of the best proper
    rotation and the best reflection the one of larger trace.
    """
    covariance = z.transpose(1, 2) @ x
    if covariance.shape[-1] == 2:
        return _in_the_plane(covariance)
    left, _, right = torch.linalg.svd(covariance)
    found: Tensor = left @ right
    return found


def _in_the_plane(covariance: Float[Tensor, "batch 2 2"]) -> Float[Tensor, "batch 2 2"]:
    """[[c, s], [-s, c]] proper, [[c, s], [s, -c]] improper; each trace is the length of (c, s)."""
    (a, b), (c, d) = covariance.permute(1, 2, 0)
    proper = torch.stack([a + d, b - c])
    improper = torch.stack([a - d, b + c])
    reflects = improper.square().sum(dim=0) > proper.square().sum(dim=0)
    cosine, sine = torch.where(reflects, improper, proper)
    length = torch.hypot(cosine, sine)
    safe = length.clamp(min=torch.finfo(length.dtype).tiny)
    cosine, sine = torch.where(length > 0, cosine / safe, torch.ones_like(length)), sine / safe
    sign = torch.where(reflects, -1.0, 1.0).to(cosine.dtype)
    return torch.stack([cosine, sine, -sign * sine, sign * cosine], dim=1).reshape(-1, 2, 2)
