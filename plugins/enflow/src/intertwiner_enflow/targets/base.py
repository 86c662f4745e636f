"""A Boltzmann density p(x) = exp(-U(x)) / Z of identical particles at kT = 1.

The reference measure is Lebesgue measure of the (N - 1) D-dimensional subspace of configurations
whose mean is zero, in an orthonormal basis; particles are labelled (no factor N!).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from intertwiner.errors import DataError

__all__ = ["Known", "Target", "centred"]


@dataclass(frozen=True, slots=True)
class Known:
    """A constant with its standard error (0 when exact) and how it was found."""

    value: float
    error: float
    source: str

    def __add__(self, other: Known) -> Known:
        error = float((self.error**2 + other.error**2) ** 0.5)
        source = self.source if self.source == other.source else f"{self.source}; {other.source}"
        return Known(self.value + other.value, error, source)


def centred(x: Float[Tensor, "batch particles dim"]) -> Float[Tensor, "batch particles dim"]:
    """Configurations with their mean over particles taken away."""
    return x - x.mean(dim=1, keepdim=True)


class Target(ABC):
    """Particles with U(x) = sum over pairs of u(r^2) + (k/2) sum_i |x_i - mean|^2.

    oscillator: k. log_z: ln of the integral of exp(-U). mean_energy: <U>. Either is None when it
    is not known for the settings of the target.
    """

    name: str
    particles: int
    dimension: int
    oscillator: float
    log_z: Known | None = None
    mean_energy: Known | None = None

    @property
    def dof(self) -> int:
        """Degrees of freedom, (N - 1) D."""
        return (self.particles - 1) * self.dimension

    @abstractmethod
    def pair_terms(
        self, r2: Float[Tensor, "*pairs"]
    ) -> tuple[Float[Tensor, "*pairs"], Float[Tensor, "*pairs"]]:
        """u and du/d(r^2) of pairs at squared distances `r2`."""

    def energy(self, x: Float[Tensor, "batch particles dim"]) -> Float[Tensor, " batch"]:
        """U in units of kT; +inf where two particles are in one place and repel.

        Raises `DataError` for another number of particles or dimension, and for a coordinate that
        is not finite (naming sample and particle).
        """
        self._check(x)
        pairs, _ = self.pair_terms(self._squared_distances(x))
        energy = pairs.sum(dim=1)
        if self.oscillator:
            energy = energy + 0.5 * self.oscillator * centred(x).square().sum(dim=(1, 2))
        return energy

    def force(
        self, x: Float[Tensor, "batch particles dim"]
    ) -> Float[Tensor, "batch particles dim"]:
        """-dU/dx. Raises as `energy` does."""
        self._check(x)
        first, second = self._pairs(x.device)
        difference = x[:, first] - x[:, second]
        _, slope = self.pair_terms(difference.square().sum(dim=2))
        pull = -2.0 * slope[:, :, None] * difference
        force = torch.zeros_like(x).index_add(1, first, pull).index_add(1, second, -pull)
        return force - self.oscillator * centred(x)

    def floor(self) -> Known:
        """The entropy H = ln Z + <U> in nats: no density has a smaller mean NLL on true samples.

        Raises `DataError` where it is not known.
        """
        if self.log_z is None or self.mean_energy is None:
            raise DataError(f"{self.name}: ln Z and <U> are not known for these settings")
        return self.log_z + self.mean_energy

    def virial(self, x: Float[Tensor, "batch particles dim"]) -> Float[Tensor, " batch"]:
        """sum_i x_i . dU/dx_i, whose mean over true samples is the number of degrees of freedom."""
        return -(centred(x) * self.force(x)).sum(dim=(1, 2))

    def _pairs(self, device: torch.device) -> tuple[Tensor, Tensor]:
        first, second = torch.triu_indices(self.particles, self.particles, 1, device=device)
        return first, second

    def _squared_distances(
        self, x: Float[Tensor, "batch particles dim"]
    ) -> Float[Tensor, "batch pairs"]:
        first, second = self._pairs(x.device)
        return (x[:, first] - x[:, second]).square().sum(dim=2)

    def _check(self, x: Tensor) -> None:
        expected = [self.particles, self.dimension]
        if x.dim() != 3 or list(x.shape[1:]) != expected:
            raise DataError(
                f"{self.name}: positions of shape {list(x.shape)}, expected [B, N, D] = "
                f"[B, {expected[0]}, {expected[1]}]"
            )
        finite = torch.isfinite(x).all(dim=2)
        if not bool(finite.all()):
            sample, particle = (~finite).nonzero()[0].tolist()
            raise DataError(
                f"{self.name}: sample {sample}, particle {particle} is at "
                f"{x[sample, particle].tolist()}; leave such samples out"
            )
