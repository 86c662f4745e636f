"""Group elements are what their names say, and act field by field."""

from __future__ import annotations

import pytest
import torch

from intertwiner.conformance.action import act
from intertwiner.conformance.findings import NotCovered
from intertwiner.conformance.groups import (
    Motion,
    octahedral_rotations,
    random_permutation,
    random_rotation,
    reflections,
    rotations,
    translation,
)
from intertwiner.fields import Irreps, Label, Point, Scalar

UNIT = torch.eye(3, dtype=torch.float64)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_rotations_are_orthogonal_with_determinant_one():
    for motion in rotations(generator()):
        torch.testing.assert_close(motion.matrix @ motion.matrix.T, UNIT)
        assert torch.linalg.det(motion.matrix) == pytest.approx(1)


def test_reflections_are_orthogonal_with_determinant_minus_one():
    for motion in reflections(generator()):
        torch.testing.assert_close(motion.matrix @ motion.matrix.T, UNIT)
        assert torch.linalg.det(motion.matrix) == pytest.approx(-1)


def test_rotations_exist_in_every_dimension():
    for dimension in (2, 5):
        assert torch.linalg.det(random_rotation(generator(), dimension)) == pytest.approx(1)


def test_the_octahedral_group_has_24_elements_and_is_closed():
    group = octahedral_rotations()
    distinct = {tuple(matrix.flatten().tolist()) for matrix in group}
    products = {tuple((a @ b + 0.0).flatten().tolist()) for a in group for b in group}
    assert len(distinct) == 24
    assert products == {tuple((m + 0.0).flatten().tolist()) for m in group}


def test_a_permutation_always_moves_something():
    for seed in range(20):
        order = random_permutation(2, generator(seed))
        assert order.tolist() == [1, 0]


def test_points_move_and_vectors_only_turn():
    motion = Motion("both", random_rotation(generator()), torch.tensor([1.0, 2.0, 3.0]).double())
    values = torch.randn(4, 3, generator=generator(), dtype=torch.float64)
    turned = values @ motion.matrix.T
    torch.testing.assert_close(act(Irreps("1o"), values, motion), turned)
    torch.testing.assert_close(act(Point(), values, motion), turned + motion.shift)


def test_scalars_and_labels_stay():
    values = torch.arange(4)
    assert act(Scalar(), values, translation((1, 0, 0))) is values
    assert act(Label(), values, translation((1, 0, 0))) is values


def test_a_point_outside_3d_is_said_to_be_uncovered():
    with pytest.raises(NotCovered, match="point in 5D"):
        act(Point(5), torch.zeros(1, 5), translation((1, 0, 0)))
