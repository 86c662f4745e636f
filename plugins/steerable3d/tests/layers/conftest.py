"""Fields that are turned by the rotations of the grid."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from intertwiner_steerable3d.bases.angular import wigner_matrix
from intertwiner_steerable3d.layers.field_type import FieldType, sections
from intertwiner_steerable3d.networks.turning import ROTATIONS, turn_axes

Turn = Callable[[Tensor, FieldType, int], Tensor]


@pytest.fixture
def turn() -> Turn:
    """`turn(volume, fields, number)`: the fields after one of the 24 rotations."""

    def turned(volume: Tensor, fields: FieldType, number: int) -> Tensor:
        moved = turn_axes(volume, number)
        parts = []
        for order, count, channels in sections(fields):
            matrix = wigner_matrix(order, rotation_matrix(number)).to(volume.dtype)
            part = moved[:, channels].unflatten(1, (count, -1))
            parts.append(torch.einsum("ij,bujxyz->buixyz", matrix, part).flatten(1, 2))
        return torch.cat(parts, 1)

    return turned


def rotation_matrix(number: int) -> Tensor:
    """The matrix R with turned(x) = f(R^-1 x), read off the axes themselves."""
    axes = torch.stack(
        torch.meshgrid(*[torch.arange(-1.0, 2.0, dtype=torch.float64)] * 3, indexing="ij")
    )
    moved = turn_axes(axes, number).flatten(1)
    here = axes.flatten(1)
    inverse: Tensor = torch.linalg.lstsq(here.T, moved.T).solution.T
    return inverse.T


@pytest.fixture
def some_rotations() -> list[int]:
    """The identity is left out; every kind of turn is in."""
    return list(range(1, len(ROTATIONS), 3))


@pytest.fixture
def fields() -> Callable[..., Tensor]:
    """Random volumes in double precision."""

    def draw(channels: int, side: int = 9, batch: int = 2, seed: int = 0) -> Tensor:
        generator = torch.Generator().manual_seed(seed)
        shape = (batch, channels, side, side, side)
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    return draw
