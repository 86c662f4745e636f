"""Small triangle meshes, as positions [V,3] and faces [3,F], edges about 1 long."""

from __future__ import annotations

import functools
import itertools
import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

__all__ = ["Shape", "flip_edges", "icosahedron", "joined", "jolted", "ring", "sheet", "subdivided"]

Shape = tuple[Float[Tensor, "vertices 3"], Int[Tensor, "3 faces"]]


def icosahedron(radius: float) -> Shape:
    """12 vertices on a sphere; 20 faces, counter-clockwise seen from outside."""
    pos, face = _icosahedron()
    return pos * radius, face.clone()


@functools.cache
def _icosahedron() -> Shape:
    golden = (1 + math.sqrt(5)) / 2
    signs = list(itertools.product((-1.0, 1.0), repeat=2))
    corners = [(0.0, a, b * golden) for a, b in signs]
    corners += [(a, b * golden, 0.0) for a, b in signs]
    corners += [(b * golden, 0.0, a) for a, b in signs]
    pos = torch.tensor(corners, dtype=torch.float64)
    pos = pos / pos.norm(dim=1, keepdim=True)
    near = torch.cdist(pos, pos) < 1.2
    faces = [
        triple
        for triple in itertools.combinations(range(12), 3)
        if all(near[a, b] for a, b in itertools.combinations(triple, 2))
    ]
    return pos, _outward(pos, torch.tensor(faces).T)


def _outward(pos: Tensor, face: Tensor) -> Tensor:
    """Faces of a convex body about the origin, turned counter-clockwise seen from outside."""
    a, b, c = pos[face]
    inward = (torch.linalg.cross(b - a, c - a) * a).sum(1) < 0
    return torch.where(inward, face.flip(0), face)


def subdivided(shape: Shape) -> Shape:
    """Every face cut into four, new vertices on the sphere through the old ones."""
    pos, face = shape
    radius = pos.norm(dim=1).mean()
    middles: dict[tuple[int, int], int] = {}
    points = list(pos)

    def middle(a: int, b: int) -> int:
        key = (min(a, b), max(a, b))
        if key not in middles:
            middles[key] = len(points)
            point = points[a] + points[b]
            points.append(point / point.norm() * radius)
        return middles[key]

    faces = []
    for a, b, c in face.T.tolist():
        ab, bc, ca = middle(a, b), middle(b, c), middle(c, a)
        faces += [(a, ab, ca), (b, bc, ab), (c, ca, bc), (ab, bc, ca)]
    return torch.stack(points), torch.tensor(faces).T


def sheet(rows: int, columns: int) -> Shape:
    """A flat open grid of `rows` x `columns` vertices."""
    pos = torch.tensor(
        [(float(x), float(y), 0.0) for x in range(rows) for y in range(columns)],
        dtype=torch.float64,
    )
    return pos, torch.tensor(_grid(rows, columns, wrap=False)).T


def ring(around: int, across: int) -> Shape:
    """A torus of `around` x `across` vertices: a surface with a hole."""
    pos = []
    for u, v in itertools.product(range(around), range(across)):
        a, b = 2 * math.pi * u / around, 2 * math.pi * v / across
        wide = 2.2 + 0.9 * math.cos(b)
        pos.append((wide * math.cos(a), wide * math.sin(a), 0.9 * math.sin(b)))
    return (
        torch.tensor(pos, dtype=torch.float64),
        torch.tensor(_grid(around, across, wrap=True)).T,
    )


def _grid(rows: int, columns: int, *, wrap: bool) -> list[tuple[int, int, int]]:
    """Two triangles for every square of a grid."""
    faces = []
    for x in range(rows if wrap else rows - 1):
        for y in range(columns if wrap else columns - 1):
            a, b = x * columns + y, ((x + 1) % rows) * columns + y
            c, d = x * columns + (y + 1) % columns, ((x + 1) % rows) * columns + (y + 1) % columns
            faces += [(a, b, d), (a, d, c)]
    return faces


def joined(one: Shape, other: Shape) -> Shape:
    """Two components in one mesh, six apart."""
    shift = torch.tensor([6.0, 0.0, 0.0], dtype=torch.float64)
    return torch.cat([one[0], other[0] + shift]), torch.cat([one[1], other[1] + len(one[0])], 1)


def jolted(shape: Shape, size: float, generator: torch.Generator) -> Shape:
    """The shape with every vertex moved at random by about `size`."""
    pos, face = shape
    noise = torch.randn(pos.shape, generator=generator, dtype=torch.float64)
    return pos + size * noise, face


def flip_edges(face: Int[Tensor, "3 faces"]) -> Int[Tensor, "3 faces"]:
    """The mesh with some inner edges turned to join the opposite corners of their two faces."""
    faces = face.T.tolist()
    edges = {(f[k], f[(k + 1) % 3]) for f in faces for k in range(3)}
    touched: set[int] = set()
    for (i, one), (j, other) in itertools.combinations(list(enumerate(faces)), 2):
        shared = set(one) & set(other)
        if len(shared) != 2 or touched & {i, j}:
            continue
        k = next(k for k in range(3) if one[k] not in shared)
        c, a, b = one[k], one[(k + 1) % 3], one[(k + 2) % 3]
        (d,) = set(other) - shared
        if (c, d) in edges or (d, c) in edges:
            continue
        faces[i], faces[j] = [c, a, d], [d, b, c]
        touched |= {i, j}
        edges |= {(c, d), (d, c)}
    return torch.tensor(faces).T.contiguous()
