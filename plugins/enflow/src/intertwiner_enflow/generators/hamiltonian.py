"""Hamiltonian Monte Carlo (Duane et al. 1987) of chains in the subspace of zero mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor

from intertwiner_enflow.generators.chains import CHUNK, Tempered

__all__ = ["Mover"]

_LEAPS: Final = 8
_JITTER: Final = 0.2
_ACCEPTANCE: Final = (0.65, 0.8)


@dataclass
class Mover:
    """Moves chains at a given lambda; `step` adapts between calls while `adapts`.

    Each sweep draws momenta, follows the flow of V for eight leapfrog steps (of a length jittered
    by 20 %), and accepts by Metropolis' rule. Positions are centred anew after each sweep.
    """

    tempered: Tempered
    generator: torch.Generator
    step: float
    adapts: bool = True

    def sweep(
        self, x: Float[Tensor, "particles dim chains"], scale: float, sweeps: int
    ) -> Float[Tensor, " chains"]:
        """Moves `x` in place by `sweeps` sweeps at lambda = `scale`; returns U of every chain."""
        energies, accepted = [], 0.0
        for start in range(0, x.shape[2], CHUNK):
            part = x[:, :, start : start + CHUNK].contiguous()
            energy, rate = self._sweep_chunk(part, scale, sweeps)
            x[:, :, start : start + CHUNK] = part
            energies.append(energy)
            accepted += rate * part.shape[2]
        self._adapt(accepted / x.shape[2])
        return torch.cat(energies)

    def _sweep_chunk(self, x: Tensor, scale: float, sweeps: int) -> tuple[Tensor, float]:
        energy = self.tempered.energy(x)
        rate = 0.0
        for _ in range(sweeps):
            momentum = torch.randn(x.shape, generator=self.generator)
            momentum -= momentum.mean(dim=0)
            moved, final = self._leapfrog(x, momentum.clone(), scale)
            proposed = self.tempered.energy(moved)
            before = self.tempered.total(energy, x, scale) + _kinetic(momentum)
            after = self.tempered.total(proposed, moved, scale) + _kinetic(final)
            uniform = torch.rand(energy.shape, generator=self.generator)
            accept = uniform.log() < before - after
            energy = torch.where(accept, proposed, energy)
            x.copy_(torch.where(accept, moved, x))
            x -= x.mean(dim=0)
            rate += float(accept.float().mean()) / sweeps
        return energy, rate

    def _leapfrog(self, x: Tensor, momentum: Tensor, scale: float) -> tuple[Tensor, Tensor]:
        jitter = float(torch.rand((), generator=self.generator))
        step = self.step * (1.0 + _JITTER * (2.0 * jitter - 1.0))
        x = x.clone()
        momentum.sub_(self.tempered.gradient(x, scale), alpha=step / 2)
        for leap in range(_LEAPS):
            x.add_(momentum, alpha=step)
            half = step / 2 if leap == _LEAPS - 1 else step
            momentum.sub_(self.tempered.gradient(x, scale), alpha=half)
        return x, momentum

    def _adapt(self, acceptance: float) -> None:
        if self.adapts and acceptance < _ACCEPTANCE[0]:
            self.step *= 0.85
        elif self.adapts and acceptance > _ACCEPTANCE[1]:
            self.step *= 1.15


def _kinetic(momentum: Tensor) -> Float[Tensor, " chains"]:
    return 0.5 * momentum.square().sum(dim=(0, 1))
