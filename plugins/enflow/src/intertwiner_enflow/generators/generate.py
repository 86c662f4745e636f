"""Samples of a target, made with its own settings and their self-tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch

from intertwiner.errors import DataError
from intertwiner_enflow.generators.annealing import Annealing, Run, anneal
from intertwiner_enflow.generators.checks import Check, check_run, check_samples, two_starts
from intertwiner_enflow.targets import DoubleWell, LennardJones, Target

__all__ = ["Generated", "generate", "settings_for"]

_CLUSTERS: Final = {
    13: Annealing(sigma=1.0, ess=0.85, sweeps=12, final_sweeps=120, step=0.1),
    55: Annealing(sigma=1.0, ess=0.85, sweeps=12, final_sweeps=200, step=0.1),
}


@dataclass(frozen=True, slots=True)
class Generated:
    """Independent chains of one run, and what the self-tests said."""

    run: Run
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        return all(check.passed for check in self.checks)


def settings_for(target: Target) -> Annealing:
    """How `target` is annealed. Raises `DataError` for one that has no settings."""
    if isinstance(target, DoubleWell):
        return Annealing(sigma=2.2, ess=0.85, sweeps=12, final_sweeps=200, step=0.2)
    if isinstance(target, LennardJones) and target.particles in _CLUSTERS:
        return _CLUSTERS[target.particles]
    raise DataError(f"{target.name}: no settings to generate it; pass an Annealing to anneal()")


def generate(target: Target, count: int, seed: int) -> Generated:
    """`count` samples of `target`, the same for the same `seed`, with their self-tests.

    Each is the end of a chain of its own. The tests do not stop anything: see `passed`.
    """
    generator = torch.Generator().manual_seed(seed)
    run = anneal(target, count, settings_for(target), generator)
    checks = [
        *check_samples(target, run.x),
        *check_run(target, run),
        two_starts(target, run, generator),
    ]
    return Generated(run, tuple(checks))
