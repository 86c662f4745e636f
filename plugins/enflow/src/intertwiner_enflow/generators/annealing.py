"""Annealed sequential Monte Carlo (Neal 2001; Del Moral, Doucet, Jasra 2006) with ln Z.

Chains start in a Gaussian whose ln Z is known. Each level raises lambda as far as the effective
sample size of the weights exp(-dlambda (U - U_0)) allows, adds the log of their mean to ln Z,
resamples systematically and moves every chain.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from intertwiner_enflow.generators.chains import Tempered
from intertwiner_enflow.generators.hamiltonian import Mover
from intertwiner_enflow.targets import Target

__all__ = ["Annealing", "Run", "anneal", "systematic"]


@dataclass(frozen=True, slots=True)
class Annealing:
    """How chains are annealed.

    sigma: of the Gaussian at the start. ess: share of effective samples a level keeps.
    sweeps: at every level. final_sweeps: at the target, in blocks of `block`.
    step: first length of a leapfrog step.
    """

    sigma: float = 1.0
    ess: float = 0.85
    sweeps: int = 12
    final_sweeps: int = 120
    block: int = 10
    step: float = 0.1


@dataclass
class Run:
    """Annealed chains.

    x: `[chains, N, D]`, centred. energy: `[chains]`. log_z, log_z_error: the estimate from the
    weights. levels: of lambda. step: of the last sweeps. blocks: mean energy after every block of
    final sweeps, and its standard error.
    """

    x: Tensor
    energy: Tensor
    log_z: float
    log_z_error: float
    levels: int
    step: float
    blocks: list[tuple[float, float]] = field(default_factory=list)


@torch.no_grad()
def anneal(target: Target, chains: int, settings: Annealing, generator: torch.Generator) -> Run:
    """Draws `chains` samples of `target`."""
    tempered = Tempered(target, settings.sigma)
    mover = Mover(tempered, generator, settings.step)
    shape = (target.particles, target.dimension, chains)
    x = settings.sigma * torch.randn(shape, generator=generator)
    x -= x.mean(dim=0)
    energy = tempered.energy(x)
    log_z = target.dof / 2 * math.log(2.0 * math.pi * settings.sigma**2)
    scale, levels, variance = 0.0, 0, 0.0
    while scale < 1.0:
        work = energy.double() - 0.5 * tempered.precision * x.square().sum(dim=(0, 1)).double()
        rise = _rise(work, 1.0 - scale, settings.ess)
        weight = -rise * work
        log_z += float(torch.logsumexp(weight, 0)) - math.log(chains)
        variance += (1.0 / _share(weight) - 1.0) / chains
        x = x[:, :, systematic(weight, generator)].contiguous()
        scale, levels = min(1.0, scale + rise), levels + 1
        energy = mover.sweep(x, scale, settings.sweeps)
    blocks = _final_blocks(mover, x, settings)
    energy = tempered.energy(x)
    samples = x.permute(2, 0, 1).contiguous()
    return Run(samples, energy, log_z, math.sqrt(variance), levels, mover.step, blocks)


def _final_blocks(mover: Mover, x: Tensor, settings: Annealing) -> list[tuple[float, float]]:
    """Sweeps at the target; the step adapts in the first half only."""
    count = max(1, settings.final_sweeps // settings.block)
    blocks = []
    for number in range(count):
        mover.adapts = number < count // 2
        energy = mover.sweep(x, 1.0, settings.block).double()
        blocks.append((float(energy.mean()), float(energy.std()) / math.sqrt(len(energy))))
    return blocks


def _share(weight: Float[Tensor, " chains"]) -> float:
    """The effective share (mean w)^2 / mean w^2 of log weights."""
    total = 2.0 * torch.logsumexp(weight, 0) - torch.logsumexp(2.0 * weight, 0)
    return float(total.exp()) / len(weight)


def _rise(work: Float[Tensor, " chains"], rest: float, ess: float) -> float:
    """The largest rise of lambda, at most `rest`, that keeps the effective share at `ess`."""
    if _share(-rest * work) >= ess:
        return rest
    low, high = 0.0, rest
    for _ in range(100):
        middle = math.sqrt(low * high) if low else high * 1e-3
        low, high = (middle, high) if _share(-middle * work) >= ess else (low, middle)
        if low and high / low < 1.001:
            break
    return low or high


def systematic(weight: Float[Tensor, " chains"], generator: torch.Generator) -> Tensor:
    """Numbers of the chains that go on: systematic resampling of log weights."""
    shares = torch.softmax(weight, 0).cumsum(0)
    count = len(weight)
    start = torch.rand((), generator=generator, dtype=torch.float64)
    places = (torch.arange(count, dtype=torch.float64) + start) / count
    return torch.searchsorted(shares, places).clamp(max=count - 1)
