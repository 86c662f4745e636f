"""Densities that need no training: what any flow must beat."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from intertwiner_enflow.targets.base import centred

__all__ = ["GaussianDensity", "fitted_gaussian", "identity"]


class GaussianDensity:
    """The isotropic Gaussian of width `sigma` on the subspace of zero mean, as a flow.

    log q(x) = -|x|^2 / 2 sigma^2 - (dof / 2) ln(2 pi sigma^2), dof = (N - 1) D.
    """

    def __init__(self, particles: int, dimension: int, sigma: float = 1.0) -> None:
        self.particles, self.dimension, self.sigma = particles, dimension, sigma

    @property
    def dof(self) -> int:
        return (self.particles - 1) * self.dimension

    def log_prob(
        self, x: Float[Tensor, "batch particles dim"], divergence: str = "exact"
    ) -> Float[Tensor, " batch"]:
        """log q of the configurations less their means; there is nothing to integrate."""
        normaliser = 0.5 * self.dof * math.log(2.0 * math.pi * self.sigma**2)
        return -centred(x).square().sum(dim=(1, 2)) / (2.0 * self.sigma**2) - normaliser

    def sample(
        self,
        n: int,
        *,
        return_log_prob: bool = False,
        generator: torch.Generator | None = None,
    ) -> tuple[Float[Tensor, "n particles dim"], Float[Tensor, " n"] | None]:
        """n configurations, and their log q where asked for."""
        shape = (n, self.particles, self.dimension)
        x = centred(self.sigma * torch.randn(shape, generator=generator))
        return x, self.log_prob(x) if return_log_prob else None


def identity(x: Float[Tensor, "batch particles dim"]) -> GaussianDensity:
    """The prior itself: the flow that does nothing."""
    return GaussianDensity(x.shape[1], x.shape[2])


def fitted_gaussian(x: Float[Tensor, "batch particles dim"]) -> GaussianDensity:
    """The Gaussian of largest likelihood: sigma^2 = <|x|^2> / dof."""
    found = identity(x)
    found.sigma = math.sqrt(float(centred(x.double()).square().sum(dim=(1, 2)).mean()) / found.dof)
    return found
