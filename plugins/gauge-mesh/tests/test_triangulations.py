"""Triangulations: closed, wound outwards, of the number of vertices they promise."""

from __future__ import annotations

from typing import Literal

import pytest
import torch
from torch import Tensor

from intertwiner_gauge_mesh.datasets import triangulations as meshed
from intertwiner_gauge_mesh.datasets.shapes import Meshing, random_shape


def draw() -> torch.Generator:
    return torch.Generator().manual_seed(5)


SPHERES = {
    "icosphere": lambda: meshed.icosphere(2),
    "fibonacci": lambda: meshed.fibonacci_sphere(162),
    "jittered": lambda: meshed.jittered_icosphere(2, 0.15, draw()),
}
TORI = {
    "grid": lambda: meshed.torus_grid(20, 8),
    "jittered": lambda: meshed.jittered_torus(20, 8, 0.2, draw()),
}


def edges_are_shared_by_two_faces_in_opposite_directions(faces: Tensor) -> bool:
    pairs = torch.cat([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    forward = {tuple(pair) for pair in pairs.tolist()}
    return len(forward) == len(pairs) and all((b, a) in forward for a, b in forward)


@pytest.mark.parametrize("name", SPHERES)
def test_a_sphere_is_closed_and_wound_outwards(name: str) -> None:
    directions, faces = SPHERES[name]()
    assert directions.shape == (162, 3)
    assert faces.shape == (320, 3)
    torch.testing.assert_close(directions.norm(dim=1), torch.ones(162).double())
    first, second, third = directions[faces].unbind(1)
    out = torch.linalg.cross(second - first, third - first)
    assert ((out * first).sum(1) > 0).all()
    assert edges_are_shared_by_two_faces_in_opposite_directions(faces)


@pytest.mark.parametrize("name", TORI)
def test_a_torus_is_closed_and_of_genus_one(name: str) -> None:
    angles, faces = TORI[name]()
    assert angles.shape == (160, 2)
    assert edges_are_shared_by_two_faces_in_opposite_directions(faces)
    assert len(angles) - 3 * len(faces) // 2 + len(faces) == 0


@pytest.mark.parametrize("kind", ["sphere", "torus"])
@pytest.mark.parametrize("meshing", ["regular", "jittered", "unseen"])
def test_meshing_changes_vertices_and_not_the_surface(
    kind: Literal["sphere", "torus"], meshing: Meshing
) -> None:
    shape, again = (random_shape(kind, 162, meshing, 7) for _ in range(2))
    assert torch.equal(shape.points, again.points)
    regular = random_shape(kind, 162, "regular", 7)
    assert torch.equal(shape.rotation, regular.rotation)
    some = regular.parameters[:5]
    assert torch.equal(shape.surface.points(some), regular.surface.points(some))
    corners = shape.points[shape.faces]
    out = torch.linalg.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert ((out * shape.normals[shape.faces[:, 0]]).sum(1) > 0).float().mean() > 0.99
