"""Frames, angles, transport and edges against closed forms."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from intertwiner_gauge_mesh.geometry.edges import sort_pairs, tabulate_edges
from intertwiner_gauge_mesh.geometry.faces import measure_triangles, vertex_areas
from intertwiner_gauge_mesh.geometry.frames import axis_frames, directed_frames, turned
from intertwiner_gauge_mesh.geometry.transport import connection, polar, powers
from intertwiner_gauge_mesh.plan import MeshPlan


def random_frames(count, seed):
    generator = torch.Generator().manual_seed(seed)
    normal = torch.randn(count, 3, generator=generator, dtype=torch.float64)
    frames = axis_frames(torch.nn.functional.normalize(normal, dim=1))
    angle = torch.rand(count, generator=generator, dtype=torch.float64) * 6
    return turned(frames, angle)


def angle_of(unit):
    return torch.atan2(unit[..., 1], unit[..., 0])


@given(st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_frames_are_orthonormal_and_right_handed(seed):
    frames = random_frames(5, seed)
    assert torch.allclose(frames @ frames.mT, torch.eye(3, dtype=torch.float64), atol=1e-14)
    assert torch.allclose(torch.linalg.det(frames), torch.ones(5, dtype=torch.float64))


def test_a_frame_points_along_the_direction_given():
    normal = torch.tensor([[0.0, 0, 1]], dtype=torch.float64)
    frame = directed_frames(normal, torch.tensor([[3.0, 3, 7]], dtype=torch.float64))
    assert torch.allclose(frame[0, 0], torch.tensor([0.5, 0.5, 0]).double().sqrt())


def test_a_direction_along_the_normal_is_refused():
    normal = torch.tensor([[1.0, 0, 0], [0.0, 0, 1]], dtype=torch.float64)
    with pytest.raises(ValueError, match="vertex 1 has no part in the tangent plane"):
        directed_frames(normal, torch.tensor([[0.0, 1, 0], [0.0, 0, 2]], dtype=torch.float64))


@given(st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_transport_there_and_back_is_nothing(seed):
    here, there = random_frames(6, seed), random_frames(6, seed + 1)
    total = angle_of(connection(here, there)) + angle_of(connection(there, here))
    assert torch.allclose(total.cos(), torch.ones(6, dtype=torch.float64), atol=1e-12)


@given(st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_transport_is_the_rotation_of_rodrigues(seed):
    here, there = random_frames(6, seed), random_frames(6, seed + 1)
    axis = torch.linalg.cross(there[:, 2], here[:, 2])
    sine, cosine = axis.norm(dim=1), (there[:, 2] * here[:, 2]).sum(1)
    k = (axis / sine[:, None])[:, None]
    x = there[:, 0][:, None]
    moved = (
        x * cosine[:, None, None]
        + torch.linalg.cross(k, x) * sine[:, None, None]
        + k * (k * x).sum(-1, keepdim=True) * (1 - cosine)[:, None, None]
    )
    expected = (here[:, :2] @ moved.mT)[..., 0]
    assert torch.allclose(connection(here, there), expected, atol=1e-11)


def test_transport_around_a_triangle_is_the_solid_angle_of_its_normals():
    frames = random_frames(3, 7)
    near = torch.tensor([[0.1, 0, 1], [0, 0.2, 1], [-0.2, -0.1, 1]], dtype=torch.float64)
    frames = turned(axis_frames(torch.nn.functional.normalize(near, dim=1)), torch.arange(3) * 1.0)
    a, b, c = frames
    steps = [(b, a), (c, b), (a, c)]
    total = sum(float(angle_of(connection(to[None], of[None]))) for to, of in steps)
    na, nb, nc = frames[:, 2]
    triple = torch.dot(na, torch.linalg.cross(nb, nc))
    solid = 2 * torch.atan2(triple, 1 + na @ nb + nb @ nc + nc @ na)
    assert total == pytest.approx(float(solid), abs=1e-13)
    assert solid > 0


def test_a_flat_surface_has_no_transport_and_true_angles(make_plan):
    plan = make_plan("grid", 5)
    straight = torch.tensor([1.0, 0.0], dtype=torch.float64)
    assert torch.allclose(plan.connection, straight.expand_as(plan.connection), atol=1e-14)
    offset = plan.pos[plan.source] - plan.pos[plan.target]
    x, y = plan.frame[0, 0], plan.frame[0, 1]
    angle = torch.atan2(offset @ y, offset @ x)
    assert torch.allclose(plan.post, torch.stack([angle.cos(), angle.sin()], 1), atol=1e-14)


def test_powers_multiply_the_angle():
    angle = torch.linspace(0, 6, 9, dtype=torch.float64)
    found = powers(torch.stack([angle.cos(), angle.sin()], 1), 4)
    for order in range(1, 5):
        expected = torch.stack([(order * angle).cos(), (order * angle).sin()], 1)
        assert torch.allclose(found[order - 1], expected, atol=1e-14)


def test_a_neighbour_straight_above_has_a_defined_angle():
    frames = axis_frames(torch.tensor([[0.0, 0, 1]], dtype=torch.float64))
    direction, projected = polar(frames, torch.tensor([[0.0, 0, 2]], dtype=torch.float64))
    assert direction.tolist() == [[1.0, 0.0]]
    assert projected.tolist() == [0.0]


@pytest.mark.fault("F28")
def test_an_open_sheet_of_two_triangles_has_two_way_edges():
    face = torch.tensor([[0, 1, 2], [0, 2, 3]]).T
    target, source = tabulate_edges(face, 4).two_way(4)
    pairs = set(zip(target.tolist(), source.tolist(), strict=True))
    assert len(pairs) == 10
    assert pairs == {(q, p) for p, q in pairs}


def test_edges_are_sorted_by_target_and_unique(make_plan):
    plan = make_plan("torus")
    key = plan.target * plan.vertices + plan.source
    assert bool((key[1:] > key[:-1]).all())


def test_repeated_and_own_pairs_are_left_out():
    target, source = sort_pairs(torch.tensor([1, 0, 1, 2]), torch.tensor([0, 0, 0, 1]), 3)
    assert target.tolist() == [1, 2]
    assert source.tolist() == [0, 1]


@pytest.mark.parametrize(("level", "degrees"), [(2, 6.0), (3, 2.0)])
def test_normals_of_a_bumpy_sphere_come_near_those_of_the_surface(make_mesh, level, degrees):
    pos, face = make_mesh("icosphere", level)
    wave = torch.tensor([1.0, 2, -1], dtype=torch.float64)
    radius = 1 + 0.1 * (pos @ wave).sin()
    slope = 0.1 * (pos @ wave).cos()[:, None] * wave
    tangent = slope - pos * (pos * slope).sum(1, keepdim=True)
    normal = torch.nn.functional.normalize(pos - tangent / radius[:, None], dim=1)
    plan = MeshPlan.from_mesh(radius[:, None] * pos, face)
    error = torch.rad2deg(torch.acos((plan.normal * normal).sum(1).clamp(max=1)))
    assert float(error.mean()) < degrees


def test_areas_of_vertices_sum_to_the_surface(make_mesh):
    pos, face = make_mesh("icosphere", 2)
    triangles = measure_triangles(pos, face)
    areas = vertex_areas(triangles.area, face, len(pos))
    assert float(areas.sum()) == pytest.approx(float(triangles.area.sum()))
    assert torch.allclose(triangles.angle.sum(0), torch.full((face.shape[1],), torch.pi).double())
