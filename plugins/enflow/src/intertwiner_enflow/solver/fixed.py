"""Integration on a given grid, and its gradient with one checkpoint a step.

Gradients are those of the discrete steps ("discretise, then optimise"): the graph of one step at
a time is kept, so that memory is steps x state + one step.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from intertwiner_enflow.solver.tableau import Field, Tableau, runge_kutta_step

__all__ = ["integrate_fixed", "jittered_grid", "uniform_grid"]


def integrate_fixed(
    field: Field,
    y: Float[Tensor, "batch width"],
    times: Float[Tensor, "steps_and_one batch"],
    tableau: Tableau,
    *,
    checkpointed: bool = False,
) -> Float[Tensor, "batch width"]:
    """y at times[-1] from y at times[0], every sample on its own column of times.

    checkpointed: keep only the states between steps, and redo each step for its gradient.
    """
    rows = torch.arange(len(y), device=y.device)

    def advance(t: Tensor, h: Tensor, state: Tensor, first: Tensor | None) -> tuple[Tensor, Tensor]:
        slope = field(t, state, rows) if first is None else first
        end, slopes = runge_kutta_step(field, tableau, t, h, state, slope, rows)
        return end, slopes[-1]

    slope: Tensor | None = None
    for t, after in pairwise(times):
        if checkpointed and torch.is_grad_enabled():
            y, last = checkpoint(advance, t, after - t, y, slope, use_reentrant=False)
        else:
            y, last = advance(t, after - t, y, slope)
        slope = last if tableau.reuses_last else None
    return y


def uniform_grid(
    steps: int, start: float, end: float, like: Float[Tensor, "batch ..."]
) -> Float[Tensor, "steps_and_one batch"]:
    """`steps` equal steps, the same for all samples."""
    times = torch.linspace(start, end, steps + 1, dtype=like.dtype, device=like.device)
    return times.unsqueeze(1).expand(-1, len(like))


def jittered_grid(
    steps: int,
    start: float,
    end: float,
    like: Float[Tensor, "batch ..."],
    *,
    share: float = 0.3,
    generator: torch.Generator | None = None,
) -> Float[Tensor, "steps_and_one batch"]:
    """As `uniform_grid`, its interior points moved at random by up to `share` of a step.

    A network trained on one fixed grid learns to exploit its error; on moving ones it cannot.
    """
    times = uniform_grid(steps, start, end, like).clone()
    noise = torch.rand(times[1:-1].shape, generator=generator, dtype=like.dtype)
    times[1:-1] += share * (2 * noise.to(like.device) - 1) * (end - start) / steps
    return times
