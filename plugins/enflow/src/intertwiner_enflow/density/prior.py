"""The standard normal distribution on configurations whose mean position is zero.

log N0(z) = -|z|^2/2 - (dof/2) ln 2 pi with dof = (n - 1) dim: the density by the Lebesgue
measure of that subspace in an orthonormal basis. Features are ordinary standard normal.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

__all__ = ["LOG_2PI", "degrees_of_freedom", "log_normal", "log_prior", "sample_prior"]

LOG_2PI = math.log(2 * math.pi)


def degrees_of_freedom(particles: Int[Tensor, "*batch"], dimension: int) -> Tensor:
    """(n - 1) dim, of the subspace of zero mean."""
    return (particles - 1) * dimension


def log_prior(
    z: Float[Tensor, "batch n dim"], mask: Float[Tensor, "batch n"] | None = None
) -> Float[Tensor, " batch"]:
    """log N0(z) of configurations of zero mean, zero on masked particles."""
    n = z.shape[-2] if mask is None else mask.sum(dim=-1)
    return -0.5 * (z.square().sum(dim=(-2, -1)) + (n - 1) * z.shape[-1] * LOG_2PI)


def log_normal(
    z: Float[Tensor, "batch n features"], mask: Float[Tensor, "batch n"] | None = None
) -> Float[Tensor, " batch"]:
    """Of features: independent standard normals of the real particles."""
    n = z.shape[-2] if mask is None else mask.sum(dim=-1)
    return -0.5 * (z.square().sum(dim=(-2, -1)) + n * z.shape[-1] * LOG_2PI)


def sample_prior(
    shape: tuple[int, int, int],
    mask: Float[Tensor, "batch n"] | None = None,
    generator: torch.Generator | None = None,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
) -> Float[Tensor, "batch n dim"]:
    """Standard normal positions [batch, n, dim] less their mean."""
    z = torch.randn(shape, generator=generator, dtype=dtype, device=device)
    if mask is None:
        return z - z.mean(dim=-2, keepdim=True)
    real = mask.unsqueeze(-1)
    mean = (z * real).sum(dim=-2, keepdim=True) / real.sum(dim=-2, keepdim=True)
    return (z - mean) * real
