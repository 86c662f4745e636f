"""Harmonics against e3nn, and their defining properties."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from e3nn import o3

from intertwiner_equivariant_conv import spherical_harmonics

pytestmark = pytest.mark.usefixtures("double_default")


def directions(count: int = 50) -> torch.Tensor:
    return torch.nn.functional.normalize(torch.randn(count, 3, dtype=torch.float64))


@pytest.mark.parametrize("lmax", [0, 1, 2, 3])
def test_agrees_with_e3nn(lmax: int) -> None:
    vectors = directions()
    expected = o3.spherical_harmonics(
        list(range(lmax + 1)), vectors, normalize=False, normalization="component"
    )
    torch.testing.assert_close(spherical_harmonics(vectors, lmax), expected, rtol=0, atol=1e-12)


def test_squares_of_an_order_sum_to_its_dimension() -> None:
    squared = spherical_harmonics(directions(), 3).square()
    for order in range(4):
        total = squared[:, order**2 : (order + 1) ** 2].sum(1)
        torch.testing.assert_close(total, torch.full_like(total, 2.0 * order + 1.0))


def test_order_two_is_the_traceless_product() -> None:
    x, y, z = directions().T
    expected = math.sqrt(15.0) * torch.stack(
        [x * z, x * y, (y**2 - (x**2 + z**2) / 2) / math.sqrt(3.0), y * z, (z**2 - x**2) / 2], 1
    )
    found = spherical_harmonics(torch.stack([x, y, z], 1), 2)[:, 4:]
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)


def test_rotating_directions_rotates_harmonics(random_rotation: Callable[[], torch.Tensor]) -> None:
    vectors, rotation = directions(), random_rotation()
    wigner = o3.Irreps("0e+1o+2e+3o").D_from_matrix(rotation)
    torch.testing.assert_close(
        spherical_harmonics(vectors @ rotation.T, 3),
        spherical_harmonics(vectors, 3) @ wigner.T,
        rtol=0,
        atol=1e-10,
    )
