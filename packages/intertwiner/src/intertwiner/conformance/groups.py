"""Elements of the groups a model can promise to commute with."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

__all__ = [
    "Motion",
    "octahedral_rotations",
    "random_permutation",
    "random_rotation",
    "reflections",
    "rotations",
    "translation",
]


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """x -> matrix x + shift, with a name for messages. shift in the unit of the positions."""

    name: str
    matrix: Float[Tensor, "dimension dimension"]
    shift: Float[Tensor, " dimension"]

    @property
    def dimension(self) -> int:
        return len(self.shift)

    @property
    def improper(self) -> bool:
        """Whether left and right are exchanged."""
        return bool(torch.linalg.det(self.matrix) < 0)


def random_rotation(
    generator: torch.Generator, dimension: int = 3
) -> Float[Tensor, "dimension dimension"]:
    """A rotation drawn evenly: the orthogonal factor of a Gaussian matrix, signs made unique."""
    gauss = torch.randn(dimension, dimension, generator=generator, dtype=torch.float64)
    orthogonal, triangular = torch.linalg.qr(gauss)
    orthogonal = orthogonal * triangular.diagonal().sign()
    if torch.linalg.det(orthogonal) < 0:
        orthogonal[:, 0] = -orthogonal[:, 0]
    return orthogonal


def octahedral_rotations() -> list[Float[Tensor, "3 3"]]:
    """The 24 rotations of a cube, the identity first."""
    found = []
    for columns in itertools.permutations(range(3)):
        for signs in itertools.product((1.0, -1.0), repeat=3):
            matrix = torch.zeros(3, 3, dtype=torch.float64)
            matrix[torch.arange(3), list(columns)] = torch.tensor(signs, dtype=torch.float64)
            if torch.linalg.det(matrix) > 0:
                found.append(matrix)
    return found


def rotations(generator: torch.Generator, count: int = 4, dimension: int = 3) -> list[Motion]:
    """Random rotations about the origin, and the turn that carries each axis to the next."""
    still = torch.zeros(dimension, dtype=torch.float64)
    cycle = torch.eye(dimension, dtype=torch.float64).roll(1, 0)
    cycle[0] *= torch.linalg.det(cycle).sign()
    named = [Motion("turning every axis into the next", cycle, still)]
    for _ in range(count):
        matrix = random_rotation(generator, dimension)
        named.append(Motion("rotating everything at random", matrix, still))
    return named


def reflections(generator: torch.Generator, dimension: int = 3) -> list[Motion]:
    """A mirror, a random improper rotation and, where that is one, the inversion."""
    still = torch.zeros(dimension, dtype=torch.float64)
    unit = torch.eye(dimension, dtype=torch.float64)
    mirror = unit.clone()
    mirror[0, 0] = -1
    found = [Motion("inverting everything through the origin", -unit, still)] * (dimension % 2)
    return [
        *found,
        Motion("reflecting everything in x = 0", mirror, still),
        Motion(
            "rotating and mirroring everything",
            mirror @ random_rotation(generator, dimension),
            still,
        ),
    ]


def translation(shift: Sequence[float]) -> Motion:
    """A shift; choose whole numbers to keep float32 positions on a binary grid exact."""
    moved = torch.tensor(shift, dtype=torch.float64)
    name = f"moving everything by {moved.norm().item():.0f} (in the unit of the positions)"
    return Motion(name, torch.eye(len(moved), dtype=torch.float64), moved)


def random_permutation(count: int, generator: torch.Generator) -> Int[Tensor, " count"]:
    """A renumbering that is never the identity when `count` > 1: row i becomes old row p[i]."""
    order = torch.randperm(count, generator=generator)
    if count > 1 and bool((order == torch.arange(count)).all()):
        return order.roll(1)
    return order
