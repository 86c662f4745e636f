"""Many configurations at once, chains last: one small matrix product gives all differences.

With x `[N, D, chains]` the differences of all pairs are A x with the incidence matrix A
`[pairs, N]` (+1, -1), and the gradient is A^T of the pulls. Chains last, everything runs along
contiguous memory, some ten times faster than with chains first.
"""

from __future__ import annotations

from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor

from intertwiner_enflow.targets import Target

__all__ = ["CHUNK", "Tempered"]

CHUNK: Final = 512
"""Chains worked on at a time, so that all pairs of them stay in the cache."""
_NEAREST: Final = 1e-3
"""Squared distances are not taken smaller: a repulsion beyond 1e18 kT need not be told apart."""


class Tempered:
    """V = lambda U + (1 - lambda) |x|^2 / 2 sigma^2, from a Gaussian (0) to the target (1)."""

    def __init__(self, target: Target, sigma: float) -> None:
        self.target = target
        self.precision = sigma**-2
        first, second = torch.triu_indices(target.particles, target.particles, 1)
        pairs = torch.arange(len(first))
        self.incidence = torch.zeros(len(first), target.particles)
        self.incidence[pairs, first] = 1.0
        self.incidence[pairs, second] = -1.0
        self._back = self.incidence.T.contiguous()

    def energy(self, x: Float[Tensor, "particles dim chains"]) -> Float[Tensor, " chains"]:
        """U of the target. x must be centred."""
        pairs, _ = self.target.pair_terms(self._differences(x)[1])
        return pairs.sum(dim=0).add_(x.square().sum(dim=(0, 1)), alpha=self.target.oscillator / 2)

    def gradient(
        self, x: Float[Tensor, "particles dim chains"], scale: float
    ) -> Float[Tensor, "particles dim chains"]:
        """dV/dx at lambda = `scale`. x must be centred."""
        difference, r2 = self._differences(x)
        _, slope = self.target.pair_terms(r2)
        difference.mul_(slope.mul_(2.0 * scale)[:, None])
        pull = (self._back @ difference.flatten(1)).view_as(x)
        return pull.add_(x, alpha=self._stiffness(scale))

    def total(
        self, energy: Float[Tensor, " chains"], x: Tensor, scale: float
    ) -> Float[Tensor, " chains"]:
        """V from U."""
        rest = (1.0 - scale) * self.precision / 2
        return energy * scale + rest * x.square().sum(dim=(0, 1))

    def _stiffness(self, scale: float) -> float:
        return scale * self.target.oscillator + (1.0 - scale) * self.precision

    def _differences(self, x: Tensor) -> tuple[Tensor, Tensor]:
        particles, dim, chains = x.shape
        difference = (self.incidence @ x.reshape(particles, -1)).view(-1, dim, chains)
        return difference, difference.square().sum(dim=1).clamp_(min=_NEAREST)
