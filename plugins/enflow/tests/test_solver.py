"""Integration: orders, tolerances of every sample by itself, gradients, and failures."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from intertwiner_enflow.dynamics.egnn import EgnnVelocity
from intertwiner_enflow.errors import SolverError
from intertwiner_enflow.flow import Flow
from intertwiner_enflow.kernels.choice import torch_form
from intertwiner_enflow.solver.adaptive import Control, integrate_adaptive
from intertwiner_enflow.solver.fixed import integrate_fixed, jittered_grid, uniform_grid
from intertwiner_enflow.solver.solve import SolverSettings
from intertwiner_enflow.solver.tableau import DOPRI5, METHODS


def spiral(t: Tensor, y: Tensor, rows: Tensor) -> Tensor:
    """y' = i w y with w = 1 + rows and a slow drift of w in time."""
    speed = (1 + rows.to(y.dtype)) * (1 + 0.5 * t.cos())
    return torch.stack((-speed * y[:, 1], speed * y[:, 0]), dim=1)


def start(batch: int = 3) -> Tensor:
    return torch.tensor([[1.0, 0.0]], dtype=torch.float64).repeat(batch, 1)


def angle(row: int, time: float) -> float:
    return (1 + row) * (time + 0.5 * math.sin(time))


@pytest.mark.parametrize("method", list(METHODS))
def test_halving_the_steps_divides_the_error_by_two_to_the_order(method: str) -> None:
    tableau, y = METHODS[method], start(1)
    exact = torch.tensor([math.cos(angle(0, 1.0)), math.sin(angle(0, 1.0))], dtype=torch.float64)
    errors = []
    for steps in (8, 16):
        found = integrate_fixed(spiral, y, uniform_grid(steps, 0.0, 1.0, y), tableau)
        errors.append(float((found[0] - exact).norm()))
    assert math.log2(errors[0] / errors[1]) == pytest.approx(tableau.order, abs=0.35)


@pytest.mark.parametrize("tolerance", [1e-4, 1e-6, 1e-9])
def test_the_adaptive_error_follows_the_tolerance(tolerance: float) -> None:
    control = Control(rtol=tolerance, atol=tolerance)
    found = integrate_adaptive(spiral, start(), 0.0, 2.0, control)
    for row in range(3):
        exact = [math.cos(angle(row, 2.0)), math.sin(angle(row, 2.0))]
        assert float((found.y[row] - found.y.new_tensor(exact)).norm()) < 20 * tolerance
    assert found.nfe.tolist() == sorted(found.nfe.tolist())
    assert int(found.nfe[2]) > int(found.nfe[0])


def test_the_way_back_ends_at_the_start() -> None:
    there = integrate_adaptive(spiral, start(), 0.0, 1.0, Control(rtol=1e-8, atol=1e-8))
    back = integrate_adaptive(spiral, there.y, 1.0, 0.0, Control(rtol=1e-8, atol=1e-8))
    torch.testing.assert_close(back.y, start(), rtol=0, atol=1e-6)


def test_a_samples_result_does_not_depend_on_its_batch(
    make_velocity: Callable[..., EgnnVelocity], make_points: Callable[..., Tensor], form: str
) -> None:
    flow, x = Flow(make_velocity(2, 2)), make_points(5, 4, 2)
    with torch.no_grad():
        together = flow.density(x, tolerance=1e-6)
        alone = [flow.density(x[row : row + 1], tolerance=1e-6) for row in range(5)]
    torch.testing.assert_close(
        together.log_prob, torch.cat([one.log_prob for one in alone]), rtol=1e-9, atol=1e-9
    )
    assert together.nfe.tolist() == [int(one.nfe) for one in alone]


def test_a_shared_step_takes_more_evaluations(
    make_velocity: Callable[..., EgnnVelocity], make_points: Callable[..., Tensor]
) -> None:
    flow, x = Flow(make_velocity(2, 3)), make_points(20, 4, 2)
    with torch.no_grad():
        own = flow.density(x, tolerance=1e-6)
        shared = flow.density(x, solver=SolverSettings(shared=True, tolerance=1e-6))
    assert len(set(shared.nfe.tolist())) == 1
    torch.testing.assert_close(own.log_prob, shared.log_prob, rtol=0, atol=1e-3)


def test_training_mode_changes_nothing(
    make_velocity: Callable[..., EgnnVelocity], make_points: Callable[..., Tensor]
) -> None:
    flow, x = Flow(make_velocity()), make_points(2, 4, 2)
    with torch.no_grad():
        assert torch.equal(flow.train().log_prob(x), flow.eval().log_prob(x))


def test_gradients_with_checkpoints_are_the_same_bits(
    make_velocity: Callable[..., EgnnVelocity], make_points: Callable[..., Tensor], form: str
) -> None:
    velocity, x = make_velocity(), make_points(3, 4, 2)
    flow = Flow(velocity)
    parameters = [p for p in velocity.parameters() if p.requires_grad]

    def gradients(*, checkpointed: bool) -> tuple[Tensor, ...]:
        solver = SolverSettings(method="dopri5", steps=3, checkpointed=checkpointed)
        generator = torch.Generator().manual_seed(0)
        found = flow.log_prob(x, "hutchinson", solver=solver, generator=generator)
        return torch.autograd.grad(found.sum(), parameters)

    pairs = zip(gradients(checkpointed=True), gradients(checkpointed=False), strict=True)
    assert all(torch.equal(kept, redone) for kept, redone in pairs)


def test_adaptive_gradients_are_those_of_the_accepted_steps(
    make_velocity: Callable[..., EgnnVelocity], make_points: Callable[..., Tensor]
) -> None:
    velocity, x = make_velocity(2, 2), make_points(2, 4, 2)
    flow = Flow(velocity, settings=SolverSettings(tolerance=1e-7))
    parameter = velocity.embedding.bias
    (gradient,) = torch.autograd.grad(flow.log_prob(x).sum(), parameter)
    ends = []
    with torch.no_grad():
        for step in (1e-4, -2e-4):
            parameter[0] += step
            ends.append(float(flow.log_prob(x, tolerance=1e-9).sum()))
    assert float(gradient[0]) == pytest.approx((ends[0] - ends[1]) / 2e-4, rel=1e-3, abs=1e-6)


def test_a_jittered_grid_keeps_its_ends_and_its_order() -> None:
    like = start(50)
    times = jittered_grid(5, 0.0, 1.0, like, share=0.3, generator=torch.Generator().manual_seed(0))
    assert bool((times[0] == 0).all())
    assert bool((times[-1] == 1).all())
    assert bool((times.diff(dim=0) > 0).all())
    assert float((times - uniform_grid(5, 0.0, 1.0, like)).abs().max()) <= 0.3 / 5


def explodes(t: Tensor, y: Tensor, rows: Tensor) -> Tensor:
    """y' = y^2 from 1 is infinite at time 1; row 0 stays put."""
    return y.square() * (rows > 0).to(y.dtype).unsqueeze(1)


def test_a_step_that_becomes_too_small_names_sample_and_time() -> None:
    y = torch.ones(2, 1, dtype=torch.float64)
    with pytest.raises(SolverError, match=r"sample 1 at flow time 0\.99.*minimum") as caught:
        integrate_adaptive(explodes, y, 0.0, 2.0, Control(min_step=1e-4))
    assert caught.value.sample == 1
    assert caught.value.time == pytest.approx(1.0, abs=1e-2)


def test_too_many_steps_are_an_error_and_can_be_marked() -> None:
    with pytest.raises(SolverError, match="not there after 3 steps"):
        integrate_adaptive(spiral, start(), 0.0, 2.0, Control(max_steps=3, rtol=1e-9, atol=1e-9))
    y = torch.ones(2, 1, dtype=torch.float64)
    found = integrate_adaptive(explodes, y, 0.0, 2.0, Control(on_fail="mark", min_step=1e-4))
    assert found.failed.tolist() == [False, True]


def test_a_failed_sample_has_no_density_and_is_marked(
    make_velocity: Callable[..., EgnnVelocity], make_points: Callable[..., Tensor]
) -> None:
    flow = Flow(make_velocity())
    settings = SolverSettings(max_steps=2, tolerance=1e-9, on_fail="mark")
    with torch.no_grad():
        found = flow.density(make_points(2, 4, 2), solver=settings)
    assert bool(found.failed.all())
    assert bool(found.log_prob.isnan().all())


def test_evaluations_are_counted(make_points: Callable[..., Tensor]) -> None:
    calls = [0]

    def counted(t: Tensor, y: Tensor, rows: Tensor) -> Tensor:
        calls[0] += len(rows)
        return spiral(t, y, rows)

    found = integrate_adaptive(counted, start(), 0.0, 1.0)
    assert int(found.nfe.sum()) == calls[0]
    assert DOPRI5.evaluations == 6


def test_torch_and_the_compiled_program_take_the_same_way(
    make_velocity: Callable[..., EgnnVelocity], make_points: Callable[..., Tensor]
) -> None:
    flow, x = Flow(make_velocity()), make_points(4, 4, 2)
    with torch.no_grad():
        ours = flow.density(x, tolerance=1e-8)
        with torch_form():
            theirs = flow.density(x, tolerance=1e-8)
    torch.testing.assert_close(ours.log_prob, theirs.log_prob, rtol=0, atol=1e-9)
    assert ours.nfe.tolist() == theirs.nfe.tolist()
