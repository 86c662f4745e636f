"""Likelihood: minus the mean log-density, by the discrete steps of the solver that is used.

Fine-tuning draws the number of steps anew every time and moves the grid's points, so that a
network cannot learn the error of one grid: a loss below the entropy of the target would be the
sign of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from intertwiner_enflow.config import FlowConfig
from intertwiner_enflow.density.prior import log_prior
from intertwiner_enflow.divergence.probes import ProbeKind
from intertwiner_enflow.flow import Flow
from intertwiner_enflow.solver.solve import SolverSettings, solve
from intertwiner_enflow.transport import DivergenceKind, make_transport

__all__ = ["LikelihoodSettings", "draw_solver", "negative_log_likelihood"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LikelihoodSettings:
    """How the likelihood is found in training; see `FlowConfig` for what the names mean."""

    divergence: DivergenceKind = "hutchinson"
    probes: int = 1
    probe_kind: ProbeKind = "rademacher"
    steps: tuple[int, int] = (4, 6)
    jitter: float = 0.3
    tolerance: float = 1e-4
    regulariser: float = 0.0

    @classmethod
    def from_config(cls, config: FlowConfig) -> LikelihoodSettings:
        return cls(
            divergence=config.divergence,
            probes=config.probes,
            probe_kind=config.probe_kind,
            steps=(config.steps_least, config.steps_most),
            jitter=config.jitter,
            tolerance=config.training_tolerance,
            regulariser=config.regulariser,
        )


def draw_solver(
    settings: LikelihoodSettings,
    generator: torch.Generator | None = None,
    *,
    checkpointed: bool = True,
) -> SolverSettings:
    """The solver of one training step: a random number of steps on a jittered grid."""
    least, most = settings.steps
    if most == 0:
        return SolverSettings(tolerance=settings.tolerance, checkpointed=checkpointed)
    steps = int(torch.randint(max(least, 1), most + 1, (), generator=generator))
    return SolverSettings(
        method="dopri5", steps=steps, jitter=settings.jitter, checkpointed=checkpointed
    )


def negative_log_likelihood(
    flow: Flow,
    x: Float[Tensor, "batch n dim"],
    settings: LikelihoodSettings | None = None,
    generator: torch.Generator | None = None,
) -> Float[Tensor, ""]:
    """-mean log p(x) in nats, plus the regulariser where one is set; x centred."""
    chosen = settings or LikelihoodSettings()
    log_volume, x = flow.log_volume(x), x / flow.scale
    transport = make_transport(
        flow.dynamics,
        x,
        None,
        chosen.divergence,
        chosen.probes,
        chosen.probe_kind,
        generator,
        regularised=chosen.regulariser > 0,
    )
    compact = flow.dynamics.is_compact(x)
    solver = draw_solver(chosen, generator, checkpointed=not compact)
    found = solve(transport, transport.begin(x), 0.0, 1.0, solver, generator)
    change = transport.integral(found.y).sum(dim=1)
    loss = log_volume - (log_prior(transport.state(found.y)) + change).mean()
    if chosen.regulariser:
        loss = loss + chosen.regulariser * found.y[:, -1].mean()
    return loss
