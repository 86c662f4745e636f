"""Ways to lay triangles on a sphere of directions and on a torus of angles.

A triangulation is parameters (directions or angles, float64) and faces, wound counter-clockwise
seen from outside. It knows nothing of the surface it will be put on.
"""

from __future__ import annotations

import functools
import math

import torch
from jaxtyping import Float, Int
from scipy.spatial import ConvexHull
from torch import Tensor

__all__ = ["fibonacci_sphere", "icosphere", "jittered_icosphere", "jittered_torus", "torus_grid"]

Triangulation = tuple[Float[Tensor, "n k"], Int[Tensor, "f 3"]]


@functools.cache
def icosphere(level: int) -> Triangulation:
    """An icosahedron whose faces are split in four `level` times: 10 * 4^level + 2 directions."""
    directions, faces = _icosahedron()
    for _ in range(level):
        directions, faces = _split(directions, faces)
    return directions, faces


def _icosahedron() -> Triangulation:
    golden = (1 + math.sqrt(5)) / 2
    corners = [(0.0, i, j * golden) for i in (-1.0, 1.0) for j in (-1.0, 1.0)]
    cycled = [(p[k % 3], p[(k + 1) % 3], p[(k + 2) % 3]) for k in range(3) for p in corners]
    directions = torch.tensor(cycled, dtype=torch.float64)
    directions = directions / directions.norm(dim=1, keepdim=True)
    return directions, _hull(directions)


def _split(directions: Float[Tensor, "n 3"], faces: Int[Tensor, "f 3"]) -> Triangulation:
    """Every edge gets a vertex in its middle, every face becomes four."""
    a, b, c = faces.T
    sides = torch.cat([torch.stack(pair, 1) for pair in ((a, b), (b, c), (c, a))])
    unique, place = torch.unique(sides.sort(dim=1).values, dim=0, return_inverse=True)
    middles = directions[unique].sum(1)
    middles = middles / middles.norm(dim=1, keepdim=True)
    ab, bc, ca = (place + len(directions)).reshape(3, -1)
    corners = [(a, ab, ca), (b, bc, ab), (c, ca, bc), (ab, bc, ca)]
    split = torch.cat([torch.stack(face, 1) for face in corners])
    return torch.cat([directions, middles]), split


def fibonacci_sphere(count: int) -> Triangulation:
    """`count` directions on a spiral of golden angles, joined by their convex hull."""
    steps = torch.arange(count, dtype=torch.float64)
    height = 1 - (2 * steps + 1) / count
    angle = math.pi * (3 - math.sqrt(5)) * steps
    ring = (1 - height.square()).sqrt()
    directions = torch.stack([ring * angle.cos(), ring * angle.sin(), height], 1)
    return directions, _hull(directions)


def jittered_icosphere(level: int, jitter: float, generator: torch.Generator) -> Triangulation:
    """Icosphere directions moved by `jitter` mean edge lengths (Gaussian), joined by their hull."""
    directions, _ = icosphere(level)
    spacing = math.sqrt(8 * math.pi / math.sqrt(3) / len(directions))
    noise = torch.randn(directions.shape, generator=generator, dtype=torch.float64)
    moved = directions + jitter * spacing * noise
    moved = moved / moved.norm(dim=1, keepdim=True)
    return moved, _hull(moved)


def _hull(directions: Float[Tensor, "n 3"]) -> Int[Tensor, "f 3"]:
    """The triangles of the convex hull of points on a sphere, wound outwards."""
    hull = ConvexHull(directions.numpy())
    faces = torch.from_numpy(hull.simplices.astype("int64"))
    first, second, third = directions[faces].unbind(1)
    inward = (torch.linalg.cross(second - first, third - first) * first).sum(1) < 0
    faces[inward] = faces[inward].flip(1)
    return faces


def torus_grid(around: int, along: int) -> Triangulation:
    """A grid of `around` x `along` angles (u, v); the diagonals of its squares alternate."""
    u, v = torch.meshgrid(torch.arange(around), torch.arange(along), indexing="ij")
    angles = torch.stack([u.reshape(-1) / around, v.reshape(-1) / along], 1).double()
    corner = [(((u + i) % around) * along + (v + j) % along).reshape(-1) for i, j in _CORNERS]
    turned = ((u + v) % 2 == 1).reshape(-1)
    return 2 * math.pi * angles, _squares(corner, turned)


_CORNERS = ((0, 0), (1, 0), (1, 1), (0, 1))


def _squares(corner: list[Tensor], turned: Tensor) -> Int[Tensor, "f 3"]:
    a, b, c, d = corner
    straight = torch.cat([torch.stack([a, b, c], 1), torch.stack([a, c, d], 1)])
    other = torch.cat([torch.stack([a, b, d], 1), torch.stack([b, c, d], 1)])
    return torch.cat([straight[(~turned).repeat(2)], other[turned.repeat(2)]])


def jittered_torus(
    around: int, along: int, jitter: float, generator: torch.Generator
) -> Triangulation:
    """The grid with each angle moved by `jitter` grid steps (Gaussian, at most a third of one)."""
    angles, faces = torus_grid(around, along)
    noise = jitter * torch.randn(angles.shape, generator=generator, dtype=torch.float64)
    step = torch.tensor([2 * math.pi / around, 2 * math.pi / along], dtype=torch.float64)
    return angles + noise.clamp(-1 / 3, 1 / 3) * step, faces
