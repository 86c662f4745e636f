"""Formulas without learning: exact where they must be, and as good as known elsewhere."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from intertwiner_gauge_mesh.baselines.gradient import (
    advected,
    face_gradient,
    least_squares_gradient,
)
from intertwiner_gauge_mesh.baselines.laplacian import cotangent_laplacian, spectrum
from intertwiner_gauge_mesh.baselines.quadric import (
    quadric_shape_tensors,
    shrinking_factor,
    two_rings,
)
from intertwiner_gauge_mesh.datasets import advection
from intertwiner_gauge_mesh.datasets.config import AdvectionConfig
from intertwiner_gauge_mesh.datasets.triangulations import icosphere
from intertwiner_gauge_mesh.plan import MeshPlan
from intertwiner_gauge_mesh.recipes.advection_report import formulas
from intertwiner_gauge_mesh.recipes.curvature_report import angle_error


def uneven_sheet() -> tuple[Tensor, Tensor]:
    """A triangulated square of jittered points in the plane z = 0."""
    steps = torch.arange(7, dtype=torch.float64)
    x, y = torch.meshgrid(steps, steps, indexing="ij")
    jitter = 0.2 * torch.randn(49, 2, generator=torch.Generator().manual_seed(1)).double()
    points = torch.cat([torch.stack([x.reshape(-1), y.reshape(-1)], 1) + jitter,
                        torch.zeros(49, 1, dtype=torch.float64)], 1)  # fmt: skip
    corner = torch.arange(49).reshape(7, 7)
    a, b, c, d = corner[:-1, :-1], corner[1:, :-1], corner[1:, 1:], corner[:-1, 1:]
    faces = [torch.stack([p.reshape(-1), q.reshape(-1), r.reshape(-1)])
             for p, q, r in ((a, b, c), (a, c, d))]  # fmt: skip
    return points, torch.cat(faces, 1)


def test_gradients_of_linear_functions_on_a_plane_are_exact() -> None:
    points, face = uneven_sheet()
    slope = torch.tensor([0.3, -1.2, 0.0], dtype=torch.float64)
    values = points @ slope + 0.7
    plan = MeshPlan.from_mesh(points, face)
    for found in (least_squares_gradient(plan, values), face_gradient(points, face, values)):
        torch.testing.assert_close(found, slope.expand_as(found), rtol=0, atol=1e-12)


def test_gradient_formulas_are_as_good_as_known_and_better_on_finer_meshes() -> None:
    errors: dict[str, list[float]] = {}
    for vertices in (162, 642, 2562):
        config = AdvectionConfig(vertices=vertices, other_shapes=6, fields=2)
        part = advection.load(config).part("test")
        for name, found in formulas({"random": list(part)}).items():
            errors.setdefault(name, []).append(found["random"])
    assert errors["zero"] == pytest.approx([1.0] * 3)
    for name in ("least-squares gradient", "face gradient"):
        coarse, middle, fine = errors[name]
        assert 0.10 < coarse < 0.25
        assert 0.03 < middle < 0.09
        assert 0.008 < fine < 0.03


def test_advection_is_minus_the_product_of_velocity_and_gradient() -> None:
    gradient = torch.tensor([[1.0, 2.0, 0.0]])
    assert advected(gradient, torch.tensor([[3.0, -1.0, 5.0]])).tolist() == [-1.0]


def test_two_rings_hold_every_neighbour_of_a_neighbour_once() -> None:
    directions, faces = icosphere(1)
    plan = MeshPlan.from_mesh(directions, faces.T)
    target, source = two_rings(plan)
    adjacency = torch.zeros(42, 42, dtype=torch.bool)
    adjacency[plan.target, plan.source] = True
    reached = adjacency | (adjacency.float() @ adjacency.float() > 0)
    reached.fill_diagonal_(fill_value=False)
    assert torch.stack([target, source], 1).tolist() == reached.nonzero().tolist()


def test_the_quadric_finds_the_curvature_of_a_sphere() -> None:
    directions, faces = icosphere(3)
    plan = MeshPlan.from_mesh(2 * directions, faces.T)
    identity = torch.eye(3, dtype=torch.float64)
    expected = (identity - directions[:, :, None] * directions[:, None]) / 2
    torch.testing.assert_close(quadric_shape_tensors(plan), expected, rtol=0, atol=0.02)


def test_the_quadric_is_exact_on_a_parabola_of_revolution_seen_from_its_tip() -> None:
    points, face = uneven_sheet()
    points = (points - points[24]) / 10
    points[:, 2] = -0.5 * (2.0 * points[:, 0] ** 2 + 0.6 * points[:, 1] ** 2)
    plan = MeshPlan.from_mesh(points, face)
    tensor = quadric_shape_tensors(plan)[24]
    found = torch.linalg.eigvalsh(tensor)
    torch.testing.assert_close(
        found, torch.tensor([0.0, 0.6, 2.0], dtype=torch.float64), rtol=0, atol=0.05
    )


def test_the_shrinking_factor_minimises_the_squared_error() -> None:
    truth = torch.randn(50, generator=torch.Generator().manual_seed(2))
    assert shrinking_factor([(2 * truth, truth)]) == pytest.approx(0.5)
    assert shrinking_factor([]) == 0.0


def test_the_angle_between_directions_is_half_that_of_their_tensors() -> None:
    turn = math.radians(20)
    tensors = torch.tensor([[0.0, 0.0, 0.0, 0.0, 1.0]])
    twice = 2 * turn
    other = torch.tensor([[0.0, 0.0, 0.0, math.sin(twice), math.cos(twice)]])
    assert angle_error(other, tensors) == pytest.approx(20.0, abs=1e-4)
    assert angle_error(-tensors, tensors) == pytest.approx(90.0, abs=1e-4)


def test_the_laplacian_of_a_sphere_has_the_eigenvalues_l_l_plus_1() -> None:
    directions, faces = icosphere(3)
    found = spectrum(directions.numpy(), faces.numpy(), 9)
    expected = torch.tensor([0, 2, 2, 2, 6, 6, 6, 6, 6], dtype=torch.float64)
    torch.testing.assert_close(found.values, expected, rtol=0.02, atol=1e-6)
    gram = found.vectors.T @ (found.mass[:, None] * found.vectors)
    torch.testing.assert_close(gram, torch.eye(9, dtype=torch.float64), rtol=0, atol=1e-8)


def test_the_laplacian_of_a_constant_vanishes_and_masses_sum_to_the_area() -> None:
    points, face = uneven_sheet()
    stiffness, mass = cotangent_laplacian(points.numpy(), face.T.numpy())
    assert abs(stiffness.sum(axis=1)).max() < 1e-10
    corners = points[face]
    area = torch.linalg.cross(corners[1] - corners[0], corners[2] - corners[0]).norm(dim=1).sum()
    assert mass.sum() == pytest.approx(float(area) / 2)


def test_a_mesh_smaller_than_the_eigenpairs_asked_for_is_filled_up_with_zeros() -> None:
    directions, faces = icosphere(0)
    found = spectrum(directions.numpy(), faces.numpy(), 32)
    assert found.vectors.shape == (12, 32)
    assert (found.vectors[:, 10:] == 0).all()
