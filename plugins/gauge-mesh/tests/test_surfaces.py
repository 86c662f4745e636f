"""Generated surfaces: normals and curvatures are those of closed forms."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from intertwiner_gauge_mesh.datasets.surfaces import BumpySphere, BumpyTorus, Surface
from intertwiner_gauge_mesh.datasets.triangulations import icosphere, torus_grid
from intertwiner_gauge_mesh.geometry.faces import measure_triangles
from intertwiner_gauge_mesh.geometry.normals import vertex_normals

PLAIN = torch.zeros(1, dtype=torch.float64)


class Ellipsoid(Surface):
    """Half axes 1, 2 and 3, over unit directions."""

    axes = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)

    def chart(self, parameter: Tensor, step: Tensor) -> Tensor:
        sphere = BumpySphere(PLAIN, PLAIN.expand(1, 3), PLAIN)
        return self.axes * sphere.chart(parameter, step)


def test_normals_of_a_bumpy_sphere_are_those_of_its_formula() -> None:
    sphere = BumpySphere.random(torch.Generator().manual_seed(1))
    directions, _ = icosphere(2)
    phase = directions @ sphere.waves.T + sphere.phases
    radius = 1 + (sphere.amplitudes * phase.sin()).sum(1, keepdim=True)
    slope = (sphere.amplitudes * phase.cos()) @ sphere.waves
    flat = slope - (slope * directions).sum(1, keepdim=True) * directions
    expected = torch.nn.functional.normalize(directions - flat / radius, dim=1)
    torch.testing.assert_close(sphere.normals(directions), expected, rtol=0, atol=1e-14)


def test_a_sphere_of_radius_r_bends_by_one_over_r_everywhere() -> None:
    sphere = BumpySphere(PLAIN + 1.0, PLAIN.expand(1, 3), PLAIN + math.pi / 2)
    directions, _ = icosphere(1)
    identity = torch.eye(3, dtype=torch.float64)
    expected = (identity - directions[:, :, None] * directions[:, None]) / 2
    torch.testing.assert_close(sphere.shape_tensors(directions), expected, rtol=0, atol=1e-14)


def test_curvatures_of_a_torus_are_those_of_its_closed_form() -> None:
    angles, _ = torus_grid(8, 6)
    tensors = BumpyTorus(amplitude=0.0).shape_tensors(angles)
    around = angles[:, 1].cos() / (1 + 0.4 * angles[:, 1].cos())
    expected = torch.stack([around, torch.zeros_like(around), torch.full_like(around, 2.5)], 1)
    found = torch.linalg.eigvalsh(tensors)
    torch.testing.assert_close(found, expected.sort(dim=1).values, rtol=0, atol=1e-12)


def test_curvatures_at_the_tips_of_an_ellipsoid() -> None:
    tips = torch.eye(3, dtype=torch.float64)
    found = torch.linalg.eigvalsh(Ellipsoid().shape_tensors(tips))
    expected = [[0, 1 / 9, 1 / 4], [0, 2 / 9, 2 / 1], [0, 3 / 4, 3 / 1]]
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64))


@pytest.mark.parametrize("kind", ["sphere", "torus"])
def test_shape_tensors_have_no_part_along_the_normal(kind: str) -> None:
    draw = torch.Generator().manual_seed(3)
    surface: Surface = BumpySphere.random(draw) if kind == "sphere" else BumpyTorus.random(draw)
    parameters = icosphere(1)[0] if kind == "sphere" else torus_grid(8, 6)[0]
    normals, tensors = surface.normals(parameters), surface.shape_tensors(parameters)
    assert (tensors @ normals[:, :, None]).abs().max() < 1e-12
    torch.testing.assert_close(tensors, tensors.mT, rtol=0, atol=1e-12)


def test_mesh_normals_come_near_the_exact_ones_as_the_mesh_is_refined() -> None:
    sphere = BumpySphere.random(torch.Generator().manual_seed(1))
    angles = []
    for level in (2, 3, 4):
        directions, faces = icosphere(level)
        points, face = sphere.points(directions), faces.T
        found, _ = vertex_normals(face, measure_triangles(points, face), len(points))
        cosine = (found * sphere.normals(directions)).sum(1).clamp(max=1)
        angles.append(math.degrees(float(cosine.acos().mean())))
    assert angles[0] < 6.0
    assert angles[1] < angles[0] / 2.5
    assert angles[2] < angles[1] / 2.5
