"""The matrices of O(3) are representations, and they are e3nn's."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from intertwiner.conformance.groups import octahedral_rotations, random_rotation
from intertwiner.conformance.irreps import axis_angle, irreps_matrix, rotation_generators, wigner
from intertwiner.fields import Irreps

orders = st.integers(0, 4)
seeds = st.integers(0, 10_000)


def rotation(seed: int) -> torch.Tensor:
    return random_rotation(torch.Generator().manual_seed(seed))


def second_order_harmonics(direction: torch.Tensor) -> torch.Tensor:
    """The five l = 2 functions of a unit vector, sum of squares 5."""
    x, y, z = direction
    return math.sqrt(15) * torch.stack(
        [x * z, x * y, (y**2 - (x**2 + z**2) / 2) / math.sqrt(3), y * z, (z**2 - x**2) / 2]
    )


@settings(max_examples=20, deadline=None)
@given(orders, seeds, seeds)
def test_the_matrix_of_a_product_is_the_product_of_the_matrices(order, first, second):
    a, b = rotation(first), rotation(second)
    torch.testing.assert_close(wigner(order, 1, a @ b), wigner(order, 1, a) @ wigner(order, 1, b))


@settings(max_examples=20, deadline=None)
@given(orders, seeds)
def test_every_matrix_is_orthogonal(order, seed):
    matrix = wigner(order, -1, -rotation(seed))
    torch.testing.assert_close(matrix @ matrix.T, torch.eye(2 * order + 1, dtype=torch.float64))


def test_vectors_transform_as_positions_do():
    for seed in range(5):
        matrix = rotation(seed)
        torch.testing.assert_close(wigner(1, -1, matrix), matrix)
        torch.testing.assert_close(wigner(1, -1, -matrix), -matrix)


def test_half_turns_keep_their_axis():
    for matrix in octahedral_rotations():
        torch.testing.assert_close(wigner(1, 1, matrix), matrix)


def test_the_angle_of_the_identity_is_zero():
    assert axis_angle(torch.eye(3)).norm() == 0


def test_order_two_rotates_its_harmonics():
    for seed in range(5):
        matrix = rotation(seed)
        direction = torch.nn.functional.normalize(rotation(seed + 100)[0], dim=0)
        turned = second_order_harmonics(matrix @ direction)
        torch.testing.assert_close(turned, wigner(2, 1, matrix) @ second_order_harmonics(direction))


def test_generators_satisfy_the_commutation_relations():
    for order in range(5):
        x, y, z = rotation_generators(order)
        torch.testing.assert_close(x @ y - y @ x, z)


def test_parity_is_the_sign_of_the_inversion():
    minus = -torch.eye(3, dtype=torch.float64)
    torch.testing.assert_close(wigner(2, 1, minus), torch.eye(5, dtype=torch.float64))
    torch.testing.assert_close(wigner(2, -1, minus), -torch.eye(5, dtype=torch.float64))


@pytest.mark.parametrize("text", ["0e", "0o+1e", "2x1o+3x2e", "1x3o+2x4e"])
def test_matrices_agree_with_e3nn(text):
    o3 = pytest.importorskip("e3nn.o3", reason="e3nn is not installed: nothing to compare with")
    for seed in range(3):
        for sign in (1, -1):
            matrix = sign * rotation(seed)
            expected = o3.Irreps(text).D_from_matrix(matrix)
            ours = irreps_matrix(Irreps(text), matrix)
            # e3nn keeps its generators in float32
            torch.testing.assert_close(ours, expected.double(), atol=2e-6, rtol=0)
