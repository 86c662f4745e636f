"""One generated shape: a surface at random, meshed, and turned at random."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

from intertwiner_gauge_mesh.datasets import triangulations as meshed
from intertwiner_gauge_mesh.datasets.surfaces import BumpySphere, BumpyTorus, Surface

__all__ = ["Meshing", "Shape", "random_rotation", "random_shape"]

Meshing = Literal["regular", "jittered", "unseen"]
_LEVELS: Final = {162: 2, 642: 3, 2562: 4}
_JITTER: Final = 0.15


@dataclass(frozen=True)
class Shape:
    """A mesh whose vertices lie on a known surface; everything in float64.

    parameters [n, k] are the vertices on the surface, faces [f, 3], rotation [3, 3] turns all.
    """

    surface: Surface
    parameters: Tensor
    faces: Tensor
    rotation: Tensor

    @cached_property
    def points(self) -> Float[Tensor, "n 3"]:
        """The vertices."""
        return self.surface.points(self.parameters) @ self.rotation.T

    @cached_property
    def normals(self) -> Float[Tensor, "n 3"]:
        """Exact outward unit normals of the surface, not of the mesh."""
        return self.surface.normals(self.parameters) @ self.rotation.T

    @cached_property
    def shape_tensors(self) -> Float[Tensor, "n 3 3"]:
        """Exact curvature of the surface in space, see `Surface.shape_tensors`."""
        return self.rotation @ self.surface.shape_tensors(self.parameters) @ self.rotation.T

    @cached_property
    def mean_edge(self) -> float:
        """Mean length of the edges, each counted once for every face it belongs to."""
        corners = self.points[self.faces]
        return float((corners - corners.roll(1, dims=1)).norm(dim=2).mean())


def random_shape(
    kind: Literal["sphere", "torus"], vertices: int, meshing: Meshing, seed: int
) -> Shape:
    """The shape that follows from `seed`; the surface and its rotation do not depend on `meshing`.

    vertices: 162, 642 or 2562; a torus has 160, 640 or 2560.
    """
    generator = torch.Generator().manual_seed(seed)
    rotation = random_rotation(generator)
    if kind == "torus":
        return Shape(BumpyTorus.random(generator), *_torus(vertices, meshing, generator), rotation)
    sphere = BumpySphere.random(generator)
    directions, faces = _sphere(vertices, meshing, generator)
    return Shape(sphere, directions @ random_rotation(generator).T, faces, rotation)


def random_rotation(generator: torch.Generator) -> Float[Tensor, "3 3"]:
    """A proper rotation, uniform over all."""
    q, r = torch.linalg.qr(torch.randn(3, 3, generator=generator, dtype=torch.float64))
    q = q * torch.sign(torch.diagonal(r))
    return q * torch.linalg.det(q)


def _sphere(vertices: int, meshing: Meshing, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    level = _LEVELS[vertices]
    makers: dict[Meshing, Callable[[], tuple[Float[Tensor, "n 3"], Int[Tensor, "f 3"]]]] = {
        "regular": lambda: meshed.icosphere(level),
        "jittered": lambda: meshed.jittered_icosphere(level, _JITTER, generator),
        "unseen": lambda: meshed.fibonacci_sphere(vertices),
    }
    return makers[meshing]()


def _torus(vertices: int, meshing: Meshing, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """A regular torus has steps of equal length around and along; an unseen one has not."""
    scale = 2 ** (_LEVELS[vertices] - 2)
    if meshing == "unseen":
        return meshed.jittered_torus(16 * scale, 10 * scale, 0.2, generator)
    jitter = 0.15 if meshing == "jittered" else 0.0
    return meshed.jittered_torus(20 * scale, 8 * scale, jitter, generator)
