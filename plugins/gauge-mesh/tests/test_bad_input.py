"""Meshes that cannot be: a defined result, or an error that names the vertex or face."""

from __future__ import annotations

import pytest
import torch

from intertwiner_gauge_mesh.errors import InvalidMesh, MeshWarning
from intertwiner_gauge_mesh.layers.convolution import GaugeConv
from intertwiner_gauge_mesh.plan import MeshPlan

pytestmark = pytest.mark.fault("F28")


def from_faces(pos, faces, **settings):
    return MeshPlan.from_mesh(torch.tensor(pos).double(), torch.tensor(faces).T, **settings)


TRIANGLE = [[0.0, 0, 0], [1, 0, 0], [0, 1, 0]]
SQUARE = [*TRIANGLE, [1, 1, 0]]


def test_a_face_of_a_vertex_that_is_not_there_is_named():
    with pytest.raises(ValueError, match=r"face 1 has corners \[0, 2, 7\], outside the 3 vertices"):
        from_faces(TRIANGLE, [[0, 1, 2], [0, 2, 7]])


def test_transposed_faces_are_recognised(make_mesh):
    pos, face = make_mesh("torus")
    with pytest.raises(ValueError, match="they look transposed"):
        MeshPlan.from_mesh(pos, face.T)


def test_faces_of_fractions_are_refused(make_mesh):
    pos, face = make_mesh("tetrahedron")
    with pytest.raises(ValueError, match=r"faces are torch.float32"):
        MeshPlan.from_mesh(pos, face.float())


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_position_that_is_no_number_is_named(make_mesh, value):
    pos, face = make_mesh("tetrahedron")
    pos[2, 1] = value
    with pytest.raises(ValueError, match="position of vertex 2"):
        MeshPlan.from_mesh(pos, face)


@pytest.mark.parametrize("vertices", [0, 1, 5])
def test_a_mesh_without_faces_is_refused(vertices):
    with pytest.raises(ValueError, match="mesh has no faces"):
        MeshPlan.from_mesh(torch.zeros(vertices, 3), torch.zeros(3, 0, dtype=torch.int64))


def test_unreferenced_vertices_get_the_self_term_alone():
    plan = from_faces([*TRIANGLE, [5, 5, 5]], [[0, 1, 2]])
    assert plan.used.tolist() == [True, True, True, False]
    assert plan.summaries[0].unreferenced == 1
    layer = GaugeConv("2x0", "2x0", rings=1).double()
    with torch.no_grad():
        layer.bias.fill_(0.5)
    x = torch.randn(4, 2, dtype=torch.float64)
    expected = x[3] @ layer.self_weight.view(2, 2) + 0.5
    assert torch.allclose(layer(x, plan)[3], expected)


def test_coincident_vertices_are_welded_and_counted():
    plan = from_faces([*SQUARE, [0, 1, 0]], [[0, 1, 2], [1, 3, 4]])
    assert plan.vertices == 4
    assert plan.weld.tolist() == [0, 1, 2, 3, 2]
    assert plan.summaries[0].coincident == 1
    assert len(plan.target) == 10


def test_strict_names_both_coincident_vertices():
    with pytest.raises(ValueError, match="vertices 2 and 4 are at the same place"):
        from_faces([*SQUARE, [0, 1, 0]], [[0, 1, 2], [1, 3, 4]], strict=True)


def test_without_welding_edges_of_no_length_are_dropped():
    settings = {"weld": False, "on_zero_normal": "pca"}
    plan = from_faces([*TRIANGLE, [0, 0, 0]], [[0, 1, 2], [0, 2, 3]], **settings)
    assert plan.summaries[0].dropped_edges == 2
    assert bool((plan.length > 0).all())


def test_faces_without_area_count_for_nothing_in_the_normals():
    flat = from_faces(TRIANGLE, [[0, 1, 2]])
    faces = [[0, 1, 2], [0, 3, 1]]
    plan = from_faces([*TRIANGLE, [0.5, 0, 0]], faces, on_zero_normal="pca")
    assert plan.summaries[0].degenerate_faces == 1
    assert torch.allclose(plan.normal, flat.normal[:1].expand(4, -1))


def test_cancelling_faces_are_named_or_fitted():
    pos = [[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]
    faces = [[0, 1, 2], [0, 2, 1]]
    with pytest.raises(ValueError, match="the faces around vertex 0 cancel"):
        from_faces(pos, faces)
    plan = from_faces(pos, faces, on_zero_normal="pca", on_antipodal="drop")
    assert plan.summaries[0].fitted_normals == 3
    assert torch.allclose(plan.normal[:3].norm(dim=1), torch.ones(3).double())


def test_opposite_normals_are_named_or_dropped():
    pos = [[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 0.2, 0], [0, 1.2, 0], [1, 1, 0], [2, 2, 0]]
    normal = torch.tensor([[0.0, 0, 1], [0, 0, -1], [0, 0, 1]]).double()
    points = torch.tensor(pos[:3]).double()
    target, source = torch.tensor([0, 1, 0, 2]), torch.tensor([1, 0, 2, 0])
    with pytest.raises(ValueError, match="normals of neighbours 0 and 1 are opposite"):
        MeshPlan.from_points(points, normal, target, source)
    plan = MeshPlan.from_points(points, normal, target, source, on_antipodal="drop")
    assert plan.target.tolist() == [0, 2]


def test_a_one_sided_surface_is_refused(make_mesh):
    pos, face = make_mesh("klein_bottle")
    with pytest.raises(InvalidMesh, match="surface is non-orientable"):
        MeshPlan.from_mesh(pos, face)


def test_faces_that_wind_the_other_way_are_flipped_with_a_warning(make_mesh):
    pos, face = make_mesh("torus")
    expected = MeshPlan.from_mesh(pos, face)
    wrong = face.clone()
    wrong[:, [3, 40, 41]] = face[:, [3, 40, 41]].flip(0)
    with pytest.warns(MeshWarning, match="3 of 192 faces wind the other way"):
        plan = MeshPlan.from_mesh(pos, wrong)
    assert torch.allclose(plan.normal, expected.normal)
    with pytest.raises(InvalidMesh, match="3 of 192 faces"):
        MeshPlan.from_mesh(pos, wrong, strict=True)


def test_an_edge_of_three_faces_is_kept_once_with_a_warning():
    pos = [[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [0, -1, 0.2]]
    with pytest.warns(MeshWarning, match="1 edges have more than two faces"):
        plan = from_faces(pos, [[0, 1, 2], [0, 1, 3], [0, 1, 4]])
    pairs = list(zip(plan.target.tolist(), plan.source.tolist(), strict=True))
    assert pairs.count((0, 1)) == pairs.count((1, 0)) == 1


def test_boundaries_are_marked(make_plan):
    plan = make_plan("grid", 4)
    assert int(plan.boundary.sum()) == 12
    assert not bool(make_plan("torus").boundary.any())


def test_long_edges_are_reported(make_plan):
    plan = make_plan("torus")
    layer = GaugeConv("1x0", "1x0", reach=0.1).double()
    with pytest.warns(MeshWarning, match="longer than the reach"):
        layer(torch.zeros(plan.vertices, 1).double(), plan)


def test_two_separate_parts_do_not_see_each_other(make_mesh):
    pos, face = make_mesh("tetrahedron")
    both = MeshPlan.from_mesh(torch.cat([pos, pos + 5]), torch.cat([face, face + 4], 1))
    assert len(both.target) == 24
    assert bool(((both.target < 4) == (both.source < 4)).all())


def test_a_vertex_of_high_degree_is_handled():
    count = 80
    angle = 2 * torch.pi * torch.arange(count, dtype=torch.float64) / count
    rim = torch.stack([angle.cos(), angle.sin(), torch.zeros_like(angle)], 1)
    pos = torch.cat([torch.tensor([[0.0, 0, 0.5]]).double(), rim])
    ring = torch.arange(count) + 1
    face = torch.stack([torch.zeros_like(ring), ring, ring.roll(-1)])
    plan = MeshPlan.from_mesh(pos, face)
    assert int(plan.degree[0]) == count
    layer = GaugeConv("2x0+2x1", "2x0+2x1", rings=1).double()
    assert bool(torch.isfinite(layer(torch.randn(count + 1, 6).double(), plan)).all())
