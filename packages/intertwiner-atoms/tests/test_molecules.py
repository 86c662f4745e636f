from __future__ import annotations

import numpy as np
import pytest
import torch

from intertwiner.errors import ConfigError, DataError
from intertwiner_atoms.molecules import Molecules


def three() -> Molecules:
    return Molecules(
        n_atoms=np.array([2, 1, 3]),
        z=np.array([1, 1, 8, 8, 1, 1]),
        pos=np.arange(18.0).reshape(6, 3),
        names=["hydrogen", "oxygen", "water"],
        node_labels={"charges": np.arange(6.0)},
        graph_labels={"energy": np.array([1.0, np.nan, 3.0]), "dipole": np.eye(3)},
    )


def test_a_record_has_its_own_atoms_and_labels() -> None:
    water = three()[2]
    assert water.name == "water"
    assert water.z.tolist() == [8, 1, 1]
    assert water.pos.shape == (3, 3)
    assert water.pos[0].tolist() == [9.0, 10.0, 11.0]
    assert water.charges.tolist() == [3.0, 4.0, 5.0]
    assert water.energy.shape == (1,)
    assert water.dipole.shape == (1, 3)
    assert (water.pos.dtype, water.z.dtype) == (torch.float32, torch.int64)


def test_changing_a_record_leaves_the_table_alone() -> None:
    table = three()
    table[0].pos.zero_()
    assert table[0].pos.abs().sum() > 0


def test_it_is_a_sequence_with_negative_numbers_and_an_end() -> None:
    table = three()
    assert [record.name for record in table] == ["hydrogen", "oxygen", "water"]
    assert table[-1].name == "water"
    with pytest.raises(IndexError, match="no molecule 3 among 3"):
        table[3]


def test_only_the_chosen_targets_are_carried() -> None:
    chosen = three().with_targets(("dipole",))[0]
    assert "dipole" in chosen
    assert "energy" not in chosen
    assert "charges" not in chosen


def test_an_unknown_target_gets_a_suggestion() -> None:
    with pytest.raises(ConfigError, match="did you mean 'dipole'"):
        three().with_targets(("dipol",))


def test_joined_molecules_follow_each_other() -> None:
    joined = Molecules.joined([three(), three()])
    assert len(joined) == 6
    assert torch.equal(joined[5].pos, joined[2].pos)
    assert joined.species == (1, 8)


def test_an_array_of_another_length_is_named() -> None:
    with pytest.raises(DataError, match="'z' has 5 rows for 3 atoms"):
        Molecules(np.array([3]), np.ones(5, dtype=np.int64), np.zeros((3, 3)), ["a"])
