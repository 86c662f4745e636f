"""One entry to all ways of integrating: adaptive or on a grid, with or without gradients."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from intertwiner_enflow.solver.adaptive import Control, Solution, integrate_adaptive
from intertwiner_enflow.solver.fixed import integrate_fixed, jittered_grid, uniform_grid
from intertwiner_enflow.solver.tableau import DOPRI5, METHODS, Field

__all__ = ["SolverSettings", "solve"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SolverSettings:
    """How a flow is integrated.

    method: "adaptive", or "heun", "rk4", "dopri5" on a grid of `steps` equal steps.
    tolerance: rtol and atol of the adaptive method. jitter: share of a step by which the grid's
    points are moved at random. checkpointed: see `integrate_fixed`.
    """

    method: Literal["adaptive", "heun", "rk4", "dopri5"] = "adaptive"
    tolerance: float = 1e-5
    steps: int = 20
    jitter: float = 0.0
    max_steps: int = 1000
    min_step: float = 1e-6
    shared: bool = False
    on_fail: Literal["raise", "mark"] = "raise"
    checkpointed: bool = True

    def with_tolerance(self, tolerance: float | None) -> SolverSettings:
        return self if tolerance is None else replace(self, tolerance=tolerance)


def solve(
    field: Field,
    y: Float[Tensor, "batch width"],
    start: float,
    end: float,
    settings: SolverSettings,
    generator: torch.Generator | None = None,
) -> Solution:
    """y at `end` from y at `start`.

    With gradients enabled the adaptive grid is found without them, then integrated again.
    """
    if settings.method == "adaptive":
        return _adaptive(field, y, start, end, settings)
    tableau = METHODS[settings.method]
    times = uniform_grid(settings.steps, start, end, y)
    if settings.jitter:
        times = jittered_grid(
            settings.steps, start, end, y, share=settings.jitter, generator=generator
        )
    last = integrate_fixed(field, y, times, tableau, checkpointed=settings.checkpointed)
    extra = 1 if tableau.reuses_last else 0
    return _counted(last, settings.steps * tableau.evaluations + extra)


def _adaptive(
    field: Field, y: Tensor, start: float, end: float, settings: SolverSettings
) -> Solution:
    control = Control(
        rtol=settings.tolerance,
        atol=settings.tolerance,
        max_steps=settings.max_steps,
        min_step=settings.min_step,
        shared=settings.shared,
        on_fail=settings.on_fail,
    )
    differentiable = torch.is_grad_enabled()
    with torch.no_grad():
        found = integrate_adaptive(field, y, start, end, control, keep_times=differentiable)
    if not differentiable or found.times is None:
        return found
    found.y = integrate_fixed(field, y, found.times, DOPRI5, checkpointed=settings.checkpointed)
    return found


def _counted(y: Tensor, evaluations: int) -> Solution:
    count = torch.full((len(y),), evaluations, dtype=torch.int64, device=y.device)
    return Solution(y, count, torch.zeros_like(count), ~y.isfinite().all(dim=1))
