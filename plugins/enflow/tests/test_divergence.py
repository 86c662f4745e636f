"""Every way to the divergence gives the same number, and its gradient is right."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from intertwiner_enflow.divergence.exact import divergence_along_basis, exact_divergence
from intertwiner_enflow.divergence.probes import draw_probes, hutchinson_divergence
from intertwiner_enflow.divergence.reference import divergence_by_gradients
from intertwiner_enflow.dynamics.base import Dynamics
from intertwiner_enflow.dynamics.controls import GraphVelocity, KernelVelocity, SimpleVelocity
from intertwiner_enflow.dynamics.egnn import EgnnVelocity
from intertwiner_enflow.errors import StateError

Make = Callable[..., EgnnVelocity]
Points = Callable[..., Tensor]
SHAPES = [(1, 2, 2, 4), (2, 3, 3, 4), (3, 2, 2, 4), (3, 3, 3, 13), (6, 3, 3, 2), (3, 2, 2, 1)]


@pytest.mark.parametrize(("layers", "dimension", "_", "particles"), SHAPES)
@pytest.mark.parametrize("options", [(True, True), (False, False)])
def test_all_forms_agree(
    make_velocity: Make,
    make_points: Points,
    layers: int,
    dimension: int,
    _: int,
    particles: int,
    options: tuple[bool, bool],
    form: str,
) -> None:
    attention, tanh = options
    velocity = make_velocity(dimension, layers, attention=attention, tanh=tanh)
    if not tanh:
        for layer in velocity.stack.each():
            layer.coord[2].weight.data.mul_(0.3)
    x, t = make_points(3, particles, dimension), torch.tensor([0.0, 0.4, 1.0]).double()
    expected_v, expected = divergence_by_gradients(velocity, t, x)
    scale = max(1.0, float(expected.abs().max()))
    with torch.no_grad():
        for v, trace in (exact_divergence(velocity, t, x), divergence_along_basis(velocity, t, x)):
            torch.testing.assert_close(v, expected_v, rtol=1e-12, atol=1e-12)
            assert float((trace - expected).abs().max()) < 1e-12 * scale
        _, change = Dynamics.tangents(velocity, t, x, x.unsqueeze(0))
        _, ours = velocity.tangents(t, x, x.unsqueeze(0))
    torch.testing.assert_close(ours, change, rtol=1e-11, atol=1e-11)
    if particles == 4:
        assert float(expected.abs().max()) > 0.1


def test_the_gradient_of_the_exact_divergence_is_that_of_finite_differences(
    make_velocity: Make, make_points: Points, form: str
) -> None:
    velocity, x = make_velocity(2, 3), make_points(4, 4, 2)
    t = torch.full((4,), 0.3, dtype=torch.float64)
    parameters = [p for p in velocity.parameters() if p.requires_grad]
    generator = torch.Generator().manual_seed(1)
    direction = [torch.randn(p.shape, generator=generator, dtype=p.dtype) for p in parameters]

    def value() -> Tensor:
        return exact_divergence(velocity, t, x)[1].sum()

    gradient = torch.autograd.grad(value(), parameters)
    slope = sum(float((g * d).sum()) for g, d in zip(gradient, direction, strict=True))
    ends = []
    with torch.no_grad():
        for step in (1e-5, -2e-5):
            for p, d in zip(parameters, direction, strict=True):
                p.add_(d, alpha=step)
            ends.append(float(value()))
    assert slope == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-5)


def test_probes_estimate_the_divergence_without_bias(
    make_velocity: Make, make_points: Points
) -> None:
    velocity, x = make_velocity(2, 2), make_points(1, 4, 2)
    t, many = torch.full((1,), 0.5, dtype=torch.float64), 4096
    with torch.no_grad():
        _, exact = exact_divergence(velocity, t, x)
    for kind in ("rademacher", "gaussian"):
        generator = torch.Generator().manual_seed(2)
        probes = draw_probes(kind, many, x, 2, None, generator)
        with torch.no_grad():
            _, terms, _ = hutchinson_divergence(velocity, t, x, probes)
        error = float(many**0.5 * terms.std())
        assert abs(float(terms.sum() - exact)) < 4 * error


def test_as_many_orthonormal_probes_as_degrees_of_freedom_are_exact(
    make_velocity: Make, make_points: Points
) -> None:
    velocity, x = make_velocity(3, 3), make_points(3, 5, 3)
    t = torch.full((3,), 0.5, dtype=torch.float64)
    probes = draw_probes("orthonormal", 12, x, 3, None, torch.Generator().manual_seed(0))
    with torch.no_grad():
        _, terms, _ = hutchinson_divergence(velocity, t, x, probes)
        _, exact = exact_divergence(velocity, t, x)
    torch.testing.assert_close(terms.sum(dim=1), exact, rtol=1e-11, atol=1e-11)
    with pytest.raises(StateError, match="13 orthonormal probes for 12"):
        draw_probes("orthonormal", 13, x, 3)


@pytest.mark.parametrize("control", [GraphVelocity, SimpleVelocity, KernelVelocity])
def test_the_controls_divergence_is_that_of_their_jacobian(
    control: Callable[[int], Dynamics], make_points: Points
) -> None:
    torch.manual_seed(3)
    velocity, x = control(2).double(), make_points(3, 4, 2)
    t = torch.tensor([0.1, 0.5, 0.9]).double()
    _, expected = divergence_by_gradients(velocity, t, x)
    with torch.no_grad():
        _, found = exact_divergence(velocity, t, x)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)


def test_directions_that_do_not_fit_in_memory_are_an_error(
    make_joint_velocity: Callable[..., Dynamics], make_points: Points
) -> None:
    velocity = make_joint_velocity(4)
    s = torch.cat((make_points(2, 3, 3), torch.zeros(2, 3, 4).double()), dim=-1)
    t = torch.zeros(2, dtype=torch.float64)
    with torch.no_grad():
        whole = exact_divergence(velocity, t, s)[1]
        chunked = exact_divergence(velocity, t, s, memory_cap=2 * 9 * 8 * 8 * 2)[1]
    torch.testing.assert_close(whole, chunked, rtol=1e-12, atol=1e-12)
    with pytest.raises(StateError, match=r"needs 1152 bytes for one direction"):
        exact_divergence(velocity, t, s, memory_cap=1000)
