"""Self-tests that samples must pass before anything is measured against them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor

from intertwiner_enflow.generators.annealing import Run
from intertwiner_enflow.generators.chains import Tempered
from intertwiner_enflow.generators.hamiltonian import Mover
from intertwiner_enflow.targets import Target

__all__ = ["Check", "check_run", "check_samples", "compare_runs", "two_starts"]

_SIGMAS: Final = 3.5
_CHAINS: Final = 512
_SETTLING: Final = 30
_RELEASES: Final = 40
_LONGEST: Final = 0.03
_SWEEPS: Final = 150
_SPREAD: Final = 1.6


@dataclass(frozen=True, slots=True)
class Check:
    """A figure that should be `expected` within `error` (one standard error)."""

    name: str
    value: float
    expected: float
    error: float

    @property
    def passed(self) -> bool:
        """Whether it is within 3.5 standard errors."""
        return abs(self.value - self.expected) <= _SIGMAS * self.error

    def __str__(self) -> str:
        verdict = "passed" if self.passed else "FAILED"
        return (
            f"{self.name}: {self.value:.4f}, expected {self.expected:.4f} +- {self.error:.4f}, "
            f"{verdict}"
        )


def check_samples(target: Target, x: Float[Tensor, "batch particles dim"]) -> list[Check]:
    """The virial, which is the number of degrees of freedom, and <U> where it is known."""
    virial, energy = target.virial(x.double()), target.energy(x.double())
    checks = [Check("virial", _mean(virial), float(target.dof), _error(virial))]
    if target.mean_energy is not None:
        known = target.mean_energy
        error = math.hypot(_error(energy), known.error)
        checks.append(Check("mean energy", _mean(energy), known.value, error))
    return checks


def check_run(target: Target, run: Run) -> list[Check]:
    """Stationarity: the mean energy half way through the final sweeps against the last one."""
    middle, last = run.blocks[len(run.blocks) // 2], run.blocks[-1]
    error = math.hypot(middle[1], last[1])
    checks = [Check("mean energy, second half of the final sweeps", last[0], middle[0], error)]
    if target.log_z is not None:
        error = math.hypot(run.log_z_error, target.log_z.error)
        checks.append(Check("ln Z", run.log_z, target.log_z.value, error))
    return checks


def compare_runs(first: Run, second: Run) -> list[Check]:
    """ln Z and <U> of two runs from different seeds."""
    one, other = first.energy.double(), second.energy.double()
    energy_error = math.hypot(_error(one), _error(other))
    log_z_error = math.hypot(first.log_z_error, second.log_z_error)
    return [
        Check("ln Z of two seeds", first.log_z, second.log_z, log_z_error),
        Check("mean energy of two seeds", _mean(one), _mean(other), energy_error),
    ]


@torch.no_grad()
def two_starts(target: Target, run: Run, generator: torch.Generator) -> Check:
    """<U> of chains started from the lowest configuration and from a thin gas.

    Both are moved at the target's temperature, first by short steps; when they end at one energy,
    nothing is trapped.
    """
    lowest = run.x[run.energy.argmin()]
    condensed = lowest[:, :, None].repeat(1, 1, _CHAINS)
    ends = []
    for start in (condensed, _gas(target, run, generator)):
        for step, sweeps in ((run.step / 8, _SETTLING), (run.step, _SWEEPS)):
            mover = Mover(Tempered(target, 1.0), generator, step, adapts=False)
            energy = mover.sweep(start, 1.0, sweeps)
        ends.append(energy.double())
    error = math.hypot(*map(_error, ends))
    return Check("mean energy from a gas, from a crystal", _mean(ends[1]), _mean(ends[0]), error)


def _gas(
    target: Target, run: Run, generator: torch.Generator
) -> Float[Tensor, "particles dim chains"]:
    """The eighth of lowest energy of Gaussian clouds, particles on top of each other let go."""
    width = _SPREAD * float(run.x.square().mean().sqrt())
    shape = (target.particles, target.dimension, 8 * _CHAINS)
    x = width * torch.randn(shape, generator=generator)
    x -= x.mean(dim=0)
    tempered = Tempered(target, 1.0)
    x = x[:, :, tempered.energy(x).argsort()[:_CHAINS]].contiguous()
    for _ in range(_RELEASES):
        slope = tempered.gradient(x, 1.0)
        x -= _LONGEST * slope / (1.0 + slope.norm(dim=1, keepdim=True))
    return x - x.mean(dim=0)


def _mean(values: Float[Tensor, " batch"]) -> float:
    return float(values.mean())


def _error(values: Float[Tensor, " batch"]) -> float:
    return float(values.std()) / math.sqrt(len(values))
