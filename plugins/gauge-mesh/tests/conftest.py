"""Small meshes for the tests: closed, open, one-sided and broken ones."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch_geometric.data import Batch, Data

from intertwiner_gauge_mesh.plan import MeshPlan


def tetrahedron() -> tuple[Tensor, Tensor]:
    """Four vertices, outward winding."""
    pos = torch.tensor([[1.0, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]], dtype=torch.float64)
    face = torch.tensor([[0, 1, 2], [0, 3, 1], [0, 2, 3], [1, 3, 2]]).T
    return pos, face


def icosphere(level: int = 1) -> tuple[Tensor, Tensor]:
    """A unit sphere of 12, 42, 162, 642, ... vertices, outward winding."""
    golden = (1 + 5**0.5) / 2
    corners = []
    for a in (-1.0, 1.0):
        for b in (-golden, golden):
            corners += [(0, a, b), (a, b, 0), (b, 0, a)]
    pos = torch.nn.functional.normalize(torch.tensor(corners, dtype=torch.float64), dim=1)
    near = torch.cdist(pos, pos) < 1.2
    triples = torch.combinations(torch.arange(12), 3)
    joined = near[triples[:, 0], triples[:, 1]] & near[triples[:, 1], triples[:, 2]]
    face = triples[joined & near[triples[:, 0], triples[:, 2]]].T
    a, b, c = pos[face]
    inward = (torch.linalg.cross(b - a, c - a) * (a + b + c)).sum(1) < 0
    face = torch.where(inward, face.flip(0), face)
    for _ in range(level):
        pos, face = _refined(pos, face)
    return pos, face


def _refined(pos: Tensor, face: Tensor) -> tuple[Tensor, Tensor]:
    ends = torch.stack([face, face.roll(-1, 0)], -1).sort(-1).values.reshape(-1, 2)
    edges, number = torch.unique(ends, dim=0, return_inverse=True)
    middle = torch.nn.functional.normalize(pos[edges].sum(1), dim=1)
    a, b, c = face
    ab, bc, ca = number.view(3, -1) + len(pos)
    parts = [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
    return torch.cat([pos, middle]), torch.cat([torch.stack(part) for part in parts], 1)


def bumpy_sphere(level: int = 1, seed: int = 0) -> tuple[Tensor, Tensor]:
    """An icosphere with another radius in every direction, turned at random."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    pos, face = icosphere(level)
    radius = 1 + 0.12 * (2 * pos @ normal(3, 3) + normal(3)).sin().sum(1)
    turn, _ = torch.linalg.qr(normal(3, 3))
    return radius[:, None] * pos @ (turn * torch.linalg.det(turn)), face


def torus(around: int = 12, across: int = 8) -> tuple[Tensor, Tensor]:
    """A torus of radii 1 and 0.4."""
    u = 2 * torch.pi * torch.arange(around, dtype=torch.float64)[:, None] / around
    v = 2 * torch.pi * torch.arange(across, dtype=torch.float64) / across
    ring = 1 + 0.4 * v.cos()
    pos = torch.stack([ring * u.cos(), ring * u.sin(), (0.4 * v.sin()).expand(around, -1)], -1)
    return pos.view(-1, 3), _grid_faces(around, across, twisted=False)


def klein_bottle(around: int = 12, across: int = 8) -> tuple[Tensor, Tensor]:
    """A one-sided closed surface (its places do not matter, only who is whose neighbour)."""
    generator = torch.Generator().manual_seed(0)
    pos = torch.randn(around * across, 3, generator=generator, dtype=torch.float64)
    return pos, _grid_faces(around, across, twisted=True)


def _grid_faces(around: int, across: int, *, twisted: bool) -> Tensor:
    def number(i: int, j: int) -> int:
        if i == around and twisted:
            j = -j
        return (i % around) * across + j % across

    faces = []
    for i in range(around):
        for j in range(across):
            a, b = number(i, j), number(i + 1, j)
            c, d = number(i + 1, j + 1), number(i, j + 1)
            faces += [(a, b, c), (a, c, d)]
    return torch.tensor(faces).T


def grid(side: int = 4) -> tuple[Tensor, Tensor]:
    """A flat open square of side x side vertices, normals up."""
    x, y = torch.meshgrid(*[torch.arange(side, dtype=torch.float64)] * 2, indexing="ij")
    pos = torch.stack([x, y, torch.zeros_like(x)], -1).view(-1, 3)
    corner = torch.arange(side * side).view(side, side)
    a, b = corner[:-1, :-1].flatten(), corner[1:, :-1].flatten()
    c, d = corner[1:, 1:].flatten(), corner[:-1, 1:].flatten()
    return pos, torch.cat([torch.stack([a, b, c]), torch.stack([a, c, d])], 1)


MESHES = {
    made.__name__: made
    for made in (tetrahedron, icosphere, bumpy_sphere, torus, klein_bottle, grid)
}


@pytest.fixture(autouse=True)
def _seeded() -> None:
    """The same numbers in every test, whichever run before."""
    torch.manual_seed(3425)


@pytest.fixture
def make_mesh() -> Callable[..., tuple[Tensor, Tensor]]:
    """`make_mesh("torus", 12, 8)` is (pos, face) in double precision."""

    def make(name: str, *arguments: int) -> tuple[Tensor, Tensor]:
        return MESHES[name](*arguments)

    return make


@pytest.fixture
def make_plan() -> Callable[..., MeshPlan]:
    """`make_plan("torus", 12, 8)` is its plan in double precision."""

    def make(name: str, *arguments: int) -> MeshPlan:
        return MeshPlan.from_mesh(*MESHES[name](*arguments))

    return make


@pytest.fixture
def make_batch() -> Callable[..., Batch]:
    """A batch of records from (pos, face) or with more fields, as dictionaries."""

    def make(*records: dict[str, Tensor]) -> Batch:
        return Batch.from_data_list(
            [Data(**record, num_nodes=len(record["pos"])) for record in records]
        )

    return make


@pytest.fixture
def random_angles() -> Callable[[int], Tensor]:
    """An angle in radian for every vertex."""
    return lambda vertices: 2 * torch.pi * torch.rand(vertices, dtype=torch.float64)


@pytest.fixture
def random_rotation() -> Callable[[], Tensor]:
    """A proper rotation."""

    def draw() -> Tensor:
        matrix, _ = torch.linalg.qr(torch.randn(3, 3, dtype=torch.float64))
        return matrix * torch.linalg.det(matrix)

    return draw
