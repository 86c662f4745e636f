"""Densities and samples: symmetry, the prior, closed forms, and what is refused."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from intertwiner_enflow.density.prior import LOG_2PI, log_prior, sample_prior
from intertwiner_enflow.dynamics.base import Dynamics
from intertwiner_enflow.dynamics.controls import GraphVelocity
from intertwiner_enflow.dynamics.egnn import EgnnVelocity
from intertwiner_enflow.errors import ShapeError, StateError
from intertwiner_enflow.flow import Flow
from intertwiner_enflow.rotations import random_rotations
from intertwiner_enflow.solver.solve import SolverSettings

Make = Callable[..., EgnnVelocity]
Points = Callable[..., Tensor]


class Linear(Dynamics):
    """v = a x."""

    def __init__(self, rate: float) -> None:
        super().__init__(2)
        self.rate = nn.Parameter(torch.tensor(rate, dtype=torch.float64))

    def forward(self, t: Tensor, s: Tensor, mask: Tensor | None = None) -> Tensor:
        return self.rate * (s - s.mean(dim=1, keepdim=True))


def images(x: Tensor, seed: int = 0) -> dict[str, Tensor]:
    """x turned, mirrored, moved far away and renumbered."""
    generator = torch.Generator().manual_seed(seed)
    turn = random_rotations(1, x.shape[-1], generator, x.dtype)[0]
    mirror = torch.ones(x.shape[-1], dtype=x.dtype)
    mirror[0] = -1
    order = torch.randperm(x.shape[1], generator=generator)
    return {"turned": x @ turn, "mirrored": x * mirror, "moved": x + 1e3, "renumbered": x[:, order]}


@pytest.mark.parametrize("dimension", [2, 3])
def test_the_density_is_invariant(
    make_velocity: Make, make_points: Points, dimension: int, form: str
) -> None:
    flow, x = Flow(make_velocity(dimension, 2)), make_points(3, 4, dimension)
    with torch.no_grad():
        expected = flow.log_prob(x)
        for image in images(x).values():
            torch.testing.assert_close(flow.log_prob(image), expected, rtol=0, atol=1e-9)


def test_the_control_without_equivariance_fails_the_same_test(make_points: Points) -> None:
    torch.manual_seed(0)
    flow, x = Flow(GraphVelocity(2, 2, 8).double()), make_points(2, 4, 2)
    with torch.no_grad():
        expected = flow.log_prob(x)
        assert float((flow.log_prob(images(x)["turned"]) - expected).abs().max()) > 1e-3
        torch.testing.assert_close(
            flow.log_prob(images(x)["renumbered"]), expected, rtol=0, atol=1e-6
        )


def test_the_velocity_turns_with_the_configuration(
    make_velocity: Make, make_points: Points, form: str
) -> None:
    velocity, x = make_velocity(3), make_points(3, 5, 3)
    t = torch.tensor([0.0, 0.5, 1.0], dtype=torch.float64)
    turn = random_rotations(1, 3, torch.Generator().manual_seed(0), x.dtype)[0]
    order = torch.tensor([3, 0, 4, 1, 2])
    with torch.no_grad():
        v = velocity(t, x)
        torch.testing.assert_close(velocity(t, x @ turn), v @ turn, rtol=1e-10, atol=1e-11)
        torch.testing.assert_close(velocity(t, x[:, order]), v[:, order], rtol=1e-10, atol=1e-11)
    assert float(v.mean(dim=1).abs().max()) < 1e-12


def test_samples_turn_with_the_noise(make_velocity: Make, make_points: Points) -> None:
    flow, z = Flow(make_velocity()), make_points(3, 4, 2)
    turn = random_rotations(1, 2, torch.Generator().manual_seed(1), z.dtype)[0]
    x = flow.transport_prior(z, "none").z
    torch.testing.assert_close(flow.transport_prior(z @ turn, "none").z, x @ turn)


@pytest.mark.parametrize("divergence", ["exact", "hutchinson"])
def test_a_samples_log_density_is_found_again_from_the_sample(
    make_velocity: Make, divergence: str
) -> None:
    flow = Flow(make_velocity(), particles=4)
    generator = torch.Generator().manual_seed(0)
    options = {} if divergence == "exact" else {"probes": 6, "probe_kind": "orthonormal"}
    x, log_prob = flow.sample(
        5, return_log_prob=True, divergence=divergence, generator=generator, **options
    )
    assert log_prob is not None
    with torch.no_grad():
        torch.testing.assert_close(flow.log_prob(x), log_prob, rtol=0, atol=1e-4)
    assert flow.sample(2, generator=generator)[1] is None


def test_the_prior_integrates_to_one_on_its_subspace() -> None:
    """Two particles in the plane: x_1 - x_2 = sqrt(2) y with y in orthonormal coordinates."""
    grid = torch.linspace(-8, 8, 161, dtype=torch.float64)
    y = torch.cartesian_prod(grid, grid)
    x = torch.stack((y, -y), dim=1) / math.sqrt(2)
    total = log_prior(x).exp().sum() * (grid[1] - grid[0]) ** 2
    assert float(total) == pytest.approx(1.0, abs=1e-9)


def test_the_priors_entropy_is_that_of_its_degrees_of_freedom() -> None:
    z = sample_prior((20_000, 4, 2), None, torch.Generator().manual_seed(0), torch.float64)
    entropy = 0.5 * 6 * (1 + LOG_2PI)
    assert float(-log_prior(z).mean()) == pytest.approx(entropy, abs=0.05)
    assert float(z.mean(dim=1).abs().max()) < 1e-12


def test_padded_particles_do_not_count_in_the_prior(make_points: Points) -> None:
    x = make_points(2, 3, 2)
    padded = torch.cat((x, torch.zeros(2, 2, 2).double()), dim=1)
    mask = torch.tensor([1.0, 1, 1, 0, 0]).double().expand(2, -1)
    torch.testing.assert_close(log_prior(padded, mask), log_prior(x))


@given(rate=st.floats(-1.5, 1.5), particles=st.integers(2, 5))
@settings(max_examples=10, deadline=None)
def test_a_linear_velocity_gives_the_gaussian_in_closed_form(rate: float, particles: int) -> None:
    """z = e^a x and log p(x) = log N0(e^a x) + a dof: sign and degrees of freedom together."""
    generator = torch.Generator().manual_seed(particles)
    x = sample_prior((3, particles, 2), None, generator, torch.float64)
    expected = log_prior(math.exp(rate) * x) + rate * (particles - 1) * 2
    flow = Flow(Linear(rate))
    with torch.no_grad():
        torch.testing.assert_close(flow.log_prob(x, tolerance=1e-9), expected, rtol=0, atol=1e-6)
        x, log_prob = flow.sample(
            3, particles=particles, return_log_prob=True, tolerance=1e-9, generator=generator
        )
        expected = log_prior(math.exp(rate) * x) + rate * (particles - 1) * 2
        torch.testing.assert_close(log_prob, expected, rtol=0, atol=1e-6)


def test_the_scale_of_the_data_counts_in_the_density(
    make_velocity: Make, make_points: Points
) -> None:
    flow, x = Flow(Linear(0.0)), make_points(4, 4, 2)
    flow.scale.fill_(3.0)
    with torch.no_grad():
        expected = log_prior(x / 3.0) - 6 * math.log(3.0)
        torch.testing.assert_close(flow.log_prob(x), expected, rtol=0, atol=1e-6)


def test_a_path_begins_at_the_noise_and_ends_at_the_sample(
    make_velocity: Make, make_points: Points
) -> None:
    flow, z = Flow(make_velocity()), make_points(2, 4, 2)
    frames = flow.path(z, [1.0, 0.5, 0.0])
    assert frames.shape == (3, 2, 4, 2)
    torch.testing.assert_close(frames[0], z)
    end = flow.transport_prior(z, "none").z
    torch.testing.assert_close(frames[2], end, rtol=0, atol=1e-4)


def test_one_particle_has_no_freedom(make_velocity: Make) -> None:
    flow = Flow(make_velocity())
    with torch.no_grad():
        assert flow.log_prob(torch.randn(3, 1, 2).double()).tolist() == [0, 0, 0]
    assert not flow.sample(2, particles=1)[0].any()


@pytest.mark.fault("F22")
def test_coincident_particles_have_a_density_and_gradients(make_velocity: Make, form: str) -> None:
    flow = Flow(make_velocity(2, 2))
    x = torch.zeros(1, 4, 2, dtype=torch.float64)
    x[0, 3] = torch.tensor([2.0, 1.0])
    log_prob = flow.log_prob(x)
    log_prob.sum().backward()
    assert bool(log_prob.isfinite().all())
    assert all(bool(p.grad.isfinite().all()) for p in flow.parameters() if p.grad is not None)


@pytest.mark.fault("F20")
def test_a_coordinate_that_is_not_finite_is_named(make_velocity: Make) -> None:
    x = torch.zeros(2, 4, 2, dtype=torch.float64)
    x[1, 2, 0] = torch.nan
    with pytest.raises(StateError, match="sample 1, particle 2: coordinate is nan"):
        Flow(make_velocity()).log_prob(x)


def test_shapes_are_named_with_what_was_expected(make_velocity: Make) -> None:
    flow = Flow(make_velocity(), particles=4)
    with pytest.raises(ShapeError, match=r"\[batch, 4, 2\], not \[3, 4, 3\]"):
        flow.log_prob(torch.zeros(3, 4, 3).double())
    with pytest.raises(ShapeError, match="pinned to 4 particles and was given 5"):
        flow.log_prob(torch.zeros(3, 5, 2).double())
    with pytest.raises(StateError, match="must have a particle"):
        Flow(make_velocity()).log_prob(torch.zeros(3, 0, 2).double())
    with pytest.raises(StateError, match="say how many particles"):
        Flow(make_velocity()).sample(1)


def test_several_probes_tell_their_spread(make_velocity: Make, make_points: Points) -> None:
    flow, x = Flow(make_velocity()), make_points(3, 4, 2)
    with torch.no_grad():
        found = flow.density(x, "hutchinson", probes=64, generator=torch.Generator().manual_seed(0))
        exact = flow.log_prob(x)
        assert flow.density(x, "hutchinson").probe_std is None
    assert found.probe_std is not None
    assert bool(((found.log_prob - exact).abs() < 5 * found.probe_std).all())


def test_parts_of_a_batch_are_joined(make_velocity: Make, make_points: Points) -> None:
    flow, x = Flow(make_velocity()), make_points(5, 4, 2)
    with torch.no_grad():
        whole, parts = flow.density(x), flow.density(x, batch_size=2)
    torch.testing.assert_close(whole.log_prob, parts.log_prob, rtol=0, atol=1e-12)
    assert len(parts.nfe) == 5


def test_doubling_fixed_steps_changes_little(make_velocity: Make, make_points: Points) -> None:
    flow, x = Flow(make_velocity()), make_points(4, 4, 2)
    with torch.no_grad():
        coarse, fine = (
            flow.log_prob(x, solver=SolverSettings(method="rk4", steps=steps)) for steps in (20, 40)
        )
        torch.testing.assert_close(coarse, fine, rtol=0, atol=1e-3)
        torch.testing.assert_close(flow.log_prob(x, tolerance=1e-8), fine, rtol=0, atol=1e-4)
