from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from intertwiner.errors import DataError
from intertwiner.view._elements import element
from intertwiner.view._scene import ARROW_LENGTH, Molecule, Scene, lay_out

WATER = np.array([[0.0, 0.0, 0.117], [0.0, 0.757, -0.469], [0.0, -0.757, -0.469]])
NO_VECTORS = np.zeros((0, 3))
numbers = st.floats(-5, 5, width=32)


def molecule(
    positions: np.ndarray, atoms: list[int] | None = None, vectors: np.ndarray = NO_VECTORS
) -> Molecule:
    found = np.array(atoms if atoms is not None else [6] * len(positions))
    return Molecule("m", "", np.asarray(positions, dtype=float), found, vectors)


def colours(count: int) -> dict[str, str]:
    return {str(number): "#000000" for number in range(count)}


def places(scene: Scene) -> np.ndarray:
    return np.array([ball.place for ball in scene.balls])


def bonds(found: Molecule) -> int:
    return len(lay_out([found], colours(len(found.vectors))).sticks) // 2


@st.composite
def molecules(draw: st.DrawFn) -> Molecule:
    count = draw(st.integers(1, 8))
    positions = draw(arrays(np.float64, (count, 3), elements=numbers))
    atoms = draw(st.lists(st.sampled_from([1, 6, 7, 8, 9, 16, 99]), min_size=count, max_size=count))
    return molecule(positions, atoms, draw(arrays(np.float64, (2, 3), elements=numbers)))


@given(molecules())
def test_turning_keeps_every_distance_and_every_hand(found: Molecule) -> None:
    after = places(lay_out([found], colours(2)))
    before, after = (p - p.mean(axis=0) for p in (found.positions, after))
    assert np.allclose(before @ before.T, after @ after.T, atol=1e-6)
    if len(before) > 3:
        assert np.isclose(np.linalg.det(before[:3]), np.linalg.det(after[:3]), atol=1e-6)


@given(st.lists(molecules(), min_size=1, max_size=7))
def test_every_molecule_stays_in_its_own_cell(found: list[Molecule]) -> None:
    scene = lay_out(found, colours(2))
    owners = np.repeat(np.arange(len(found)), [len(m.positions) for m in found])
    for owner, ball in zip(owners, scene.balls, strict=True):
        row, column = divmod(int(owner), scene.columns)
        assert abs(ball.place[0] - column * scene.width) <= scene.width / 2 - ball.radius
        assert abs(ball.place[1] + row * scene.height) <= scene.height / 2 - ball.radius
    assert scene.columns * scene.rows >= len(found)


@given(st.lists(molecules(), min_size=1, max_size=3))
def test_a_scene_can_be_written_as_json(found: list[Molecule]) -> None:
    scene = lay_out(found, colours(2))
    assert json.loads(json.dumps(asdict(scene)))["balls"] == json.loads(
        json.dumps([asdict(ball) for ball in scene.balls])
    )


@given(molecules())
def test_arrows_are_nearer_to_the_eye_than_every_atom(found: Molecule) -> None:
    scene = lay_out([found], colours(2))
    nearest = max(ball.place[2] + ball.radius for ball in scene.balls)
    assert all(min(arrow.start[2], arrow.end[2]) > nearest for arrow in scene.arrows)


@given(molecules(), st.floats(1e-3, 1e3))
def test_the_scale_is_round_and_the_longest_arrow_of_fitting_length(
    found: Molecule, factor: float
) -> None:
    vectors = found.vectors * factor
    longest = np.linalg.norm(vectors, axis=1).max()
    scene = lay_out([molecule(found.positions, vectors=vectors)], colours(2))
    assert f"{scene.scale:.0e}"[0] in "125"
    if longest > 0:
        assert ARROW_LENGTH / 1.6 < longest / scene.scale < ARROW_LENGTH * 1.6


def test_a_vector_lies_in_the_plane_of_the_picture() -> None:
    vectors = np.array([[1.0, 2.0, 2.0]])
    scene = lay_out([molecule(np.eye(3) * 2, vectors=vectors)], colours(1))
    (arrow,) = scene.arrows
    assert arrow.start[2] == pytest.approx(arrow.end[2], abs=0.4)


def test_the_longest_side_of_a_molecule_lies_across() -> None:
    scene = lay_out([molecule(np.array([[0, 0, 0], [0, 0, 4.0], [0, 1.0, 2.0]]))], {})
    width, height, depth = np.ptp(places(scene), axis=0)
    assert width == pytest.approx(4)
    assert height == pytest.approx(1)
    assert depth == pytest.approx(0, abs=1e-9)


def test_missing_and_vanishing_vectors_have_no_arrow() -> None:
    vectors = np.array([[np.nan] * 3, [0.0] * 3, [1.0, 0.0, 0.0]])
    assert len(lay_out([molecule(WATER, vectors=vectors)], colours(3)).arrows) == 1


@pytest.mark.parametrize(
    ("atoms", "positions", "expected"),
    [
        ([8, 1, 1], WATER, 2),
        ([1, 1], [[0, 0, 0], [0.74, 0, 0]], 1),
        ([9, 9], [[0, 0, 0], [1.42, 0, 0]], 1),
        ([6, 6], [[0, 0, 0], [1.54, 0, 0]], 1),
        ([6, 6], [[0, 0, 0], [2.6, 0, 0]], 0),
        ([11, 17], [[0, 0, 0], [2.36, 0, 0]], 1),
        ([2], [[0, 0, 0]], 0),
    ],
)
def test_bonds_follow_from_covalent_radii(
    atoms: list[int], positions: list[list[float]], expected: int
) -> None:
    assert bonds(molecule(np.array(positions), atoms)) == expected


@given(molecules())
def test_the_sweep_finds_the_bonds_that_all_pairs_have(found: Molecule) -> None:
    radii = np.array([element(int(number)).radius for number in found.numbers])
    distances = np.linalg.norm(found.positions[:, None] - found.positions[None], axis=2)
    ratio = distances / (radii[:, None] + radii[None])
    if (abs(ratio - 1.25) < 1e-6).any():
        return
    assert bonds(found) == np.triu(ratio < 1.25, k=1).sum()


@pytest.mark.fault("F22")
@pytest.mark.parametrize("count", [1, 2])
def test_one_atom_and_coincident_atoms_are_drawn(count: int) -> None:
    scene = lay_out([molecule(np.zeros((count, 3)), vectors=np.zeros((1, 3)))], colours(1))
    assert len(scene.balls) == count
    assert np.isfinite(scene.bounds).all()


@pytest.mark.fault("F22")
def test_no_atoms_are_refused_by_name() -> None:
    with pytest.raises(DataError, match="'m': no atoms"):
        lay_out([molecule(np.zeros((0, 3)), [])], {})


@pytest.mark.fault("F20")
def test_a_position_that_is_no_number_is_named_with_its_atom() -> None:
    positions = WATER.copy()
    positions[1, 2] = np.nan
    with pytest.raises(DataError, match="'m': the position of atom 1"):
        lay_out([molecule(positions)], {})
