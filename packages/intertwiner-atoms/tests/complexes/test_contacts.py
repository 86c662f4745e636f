from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intertwiner_atoms.complexes.contacts import contacts, nearest_distance, typical_distance


@given(
    seed=st.integers(0, 1000),
    reach=st.floats(2.0, 8.0),
    ours=st.integers(1, 9),
    chunk=st.sampled_from([1, 40, 1 << 21]),
)
def test_contacts_are_those_of_all_pairs(seed: int, reach: float, ours: int, chunk: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("intertwiner_atoms.complexes.contacts.CHUNK_PAIRS", chunk)
        compare_with_all_pairs(seed, reach, ours)


def compare_with_all_pairs(seed: int, reach: float, ours: int) -> None:
    random = np.random.default_rng(seed)
    ligand = random.uniform(-2, 2, (ours, 3)) + 100.0
    receptor = random.uniform(-6, 6, (60, 3)) + 100.0
    distances = np.linalg.norm(ligand[:, None] - receptor, axis=2)
    near = contacts(ligand, receptor.T, reach)
    for distance in (reach, reach / 2):
        expected = np.flatnonzero((distances < distance).any(axis=0))
        assert near.rows_within(distance).tolist() == expected.tolist()
    if near.nearest <= reach:
        assert near.nearest == pytest.approx(distances.min())
    assert nearest_distance(ligand, receptor) == pytest.approx(distances.min())
    atoms, rows, lengths = near.pairs_within(1.5)
    assert {*zip(atoms.tolist(), rows.tolist(), strict=True)} == {
        (int(atom), int(row)) for atom, row in np.argwhere(distances < 1.5)
    }
    assert lengths == pytest.approx(distances[atoms, rows])
    few = np.arange(60) % 2 == 0
    assert set(near.only(few).rows.tolist()) == {row for row in near.rows.tolist() if few[row]}


def test_nothing_in_reach_is_infinitely_far() -> None:
    near = contacts(np.zeros((2, 3)), np.full((3, 3), 50.0), 12.0)
    assert near.nearest == float("inf")
    assert near.rows_within(12.0).tolist() == []


def test_the_typical_distance_is_the_median_to_the_nearest() -> None:
    line = np.array([[0.0, 0, 0], [1.5, 0, 0], [3.0, 0, 0], [9.0, 0, 0]])
    assert typical_distance(line) == pytest.approx(1.5)
