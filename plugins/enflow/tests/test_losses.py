"""Flow matching, likelihood, and the training of short runs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from intertwiner_enflow.dynamics.controls import GraphVelocity
from intertwiner_enflow.dynamics.egnn import EgnnVelocity
from intertwiner_enflow.errors import StateError
from intertwiner_enflow.flow import Flow
from intertwiner_enflow.losses.flow_matching import flow_matching_loss, match_paths, noise_for
from intertwiner_enflow.losses.likelihood import (
    LikelihoodSettings,
    draw_solver,
    negative_log_likelihood,
)


def test_aligned_noise_is_nearer_and_as_long(make_points: Callable[..., Tensor]) -> None:
    x = make_points(20, 4, 2)
    plain, aligned = (
        noise_for(x, aligned=aligned, generator=torch.Generator().manual_seed(0))
        for aligned in (False, True)
    )
    before, after = ((z - x).square().sum(dim=(1, 2)) for z in (plain, aligned))
    assert bool((after <= before + 1e-9).all())
    torch.testing.assert_close(plain.norm(dim=(1, 2)), aligned.norm(dim=(1, 2)))


def test_a_velocity_that_is_not_equivariant_refuses_aligned_pairs(
    make_points: Callable[..., Tensor],
) -> None:
    velocity = GraphVelocity(2).double()
    with pytest.raises(StateError, match="GraphVelocity is not equivariant"):
        flow_matching_loss(velocity, make_points(3, 4, 2))
    flow_matching_loss(velocity, make_points(3, 4, 2), aligned=False).backward()


def test_the_loss_of_straight_paths_is_zero_for_their_velocity(
    make_points: Callable[..., Tensor],
) -> None:
    x, z = make_points(5, 4, 2), make_points(5, 4, 2, seed=1)
    t = torch.rand(5, dtype=torch.float64)

    class Exact(EgnnVelocity):
        def forward(self, t: Tensor, s: Tensor, mask: Tensor | None = None) -> Tensor:
            return z - x

    assert float(match_paths(Exact(2).double(), x, z, t)) == 0


def test_the_number_of_steps_is_drawn_anew() -> None:
    generator = torch.Generator().manual_seed(0)
    drawn = [draw_solver(LikelihoodSettings(), generator) for _ in range(40)]
    assert {solver.steps for solver in drawn} == {4, 5, 6}
    assert all(solver.jitter == 0.3 for solver in drawn)
    assert draw_solver(LikelihoodSettings(steps=(0, 0))).method == "adaptive"


def test_the_loss_is_minus_the_mean_log_density(
    make_velocity: Callable[..., EgnnVelocity], make_points: Callable[..., Tensor]
) -> None:
    flow, x = Flow(make_velocity()), make_points(6, 4, 2)
    settings = LikelihoodSettings(divergence="exact", steps=(20, 20), jitter=0.0)
    with torch.no_grad():
        found = negative_log_likelihood(flow, x, settings)
        assert float(found) == pytest.approx(float(-flow.log_prob(x).mean()), abs=1e-4)
        more = negative_log_likelihood(flow, x, LikelihoodSettings(regulariser=1.0))
    assert float(more) > float(found)


def _short_run(steps: int) -> tuple[Flow, list[float]]:
    torch.manual_seed(0)
    flow = Flow(EgnnVelocity(2, 2, 8))
    generator = torch.Generator().manual_seed(0)
    parameters = [p for p in flow.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(parameters, lr=5e-3)
    centre = torch.tensor([[2.0, 0.0], [-2.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    losses = []
    for _ in range(steps):
        x = centre + 0.2 * torch.randn(64, 4, 2, generator=generator)
        x = x - x.mean(dim=1, keepdim=True)
        loss = flow_matching_loss(flow.dynamics, x, generator=generator)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return flow, losses


def test_a_short_run_learns_and_gives_the_same_bits_again() -> None:
    (first, losses), (again, _) = _short_run(150), _short_run(150)
    assert sum(losses[-20:]) < 0.85 * sum(losses[:20])
    for mine, other in zip(first.parameters(), again.parameters(), strict=True):
        assert torch.equal(mine, other)
