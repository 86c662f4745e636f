from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intertwiner.data.splits import group_split, hash_split, permutation, random_split
from intertwiner.errors import ConfigError

FRACTIONS = {"train": 0.8, "validation": 0.1, "test": 0.1}
shares = st.lists(st.integers(0, 9), min_size=1, max_size=4).filter(any)
fractions = shares.map(lambda numbers: {str(i): n / sum(numbers) for i, n in enumerate(numbers)})
counts = st.integers(0, 300)
seeds = st.integers(0, 2**32)


def assert_partition(split: Mapping[str, np.ndarray], count: int) -> None:
    joined = np.concatenate(list(split.values()))
    assert joined.dtype == np.int64
    assert sorted(joined.tolist()) == list(range(count))


@given(counts, fractions, seeds)
def test_a_random_split_is_disjoint_complete_and_of_the_asked_sizes(
    count: int, fractions: dict[str, float], seed: int
) -> None:
    split = random_split(count, fractions, seed)
    assert_partition(split, count)
    assert list(split) == list(fractions)
    for part, share in fractions.items():
        assert abs(len(split[part]) - share * count) <= 1


@given(st.lists(st.text(max_size=4), max_size=60), fractions)
def test_a_hash_split_is_disjoint_complete_and_keeps_equal_keys_together(
    keys: list[str], fractions: dict[str, float]
) -> None:
    split = hash_split(keys, fractions)
    assert_partition(split, len(keys))
    parts = {part: {keys[i] for i in split[part]} for part in split}
    assert sum(map(len, parts.values())) == len(set(keys))


@given(st.lists(st.text(max_size=4), max_size=40, unique=True), st.randoms(), fractions)
def test_a_hash_split_does_not_depend_on_order_or_company(
    keys: list[str], random: object, fractions: dict[str, float]
) -> None:
    def parts(names: list[str]) -> dict[str, str]:
        split = hash_split(names, fractions)
        return {names[i]: part for part, numbers in split.items() for i in numbers}

    shuffled = keys[::2]
    random.shuffle(shuffled)
    whole = parts(keys)
    assert parts(shuffled) == {key: whole[key] for key in shuffled}


@given(st.lists(st.integers(0, 12), min_size=1, max_size=120), fractions, seeds)
def test_a_group_split_is_disjoint_complete_and_never_cuts_a_group(
    groups: list[int], fractions: dict[str, float], seed: int
) -> None:
    split = group_split(groups, fractions, seed)
    assert_partition(split, len(groups))
    parts = [{groups[i] for i in numbers} for numbers in split.values()]
    assert sum(map(len, parts)) == len(set(groups))


def test_hash_split_approaches_the_fractions() -> None:
    split = hash_split([f"molecule {number}" for number in range(5000)], FRACTIONS)
    for part, share in FRACTIONS.items():
        assert len(split[part]) / 5000 == pytest.approx(share, abs=0.02)


def test_group_split_approaches_the_fractions() -> None:
    split = group_split([str(number // 3) for number in range(3000)], FRACTIONS, seed=0)
    for part, share in FRACTIONS.items():
        assert len(split[part]) / 3000 == pytest.approx(share, abs=0.01)


def test_another_salt_gives_another_split() -> None:
    keys = [str(number) for number in range(100)]
    first, second = hash_split(keys, FRACTIONS), hash_split(keys, FRACTIONS, salt="b")
    assert first["train"].tolist() != second["train"].tolist()


def test_splits_are_the_same_on_every_machine() -> None:
    assert permutation(8, 0, 1).tolist() == [3, 7, 4, 2, 1, 6, 5, 0]
    assert random_split(20, FRACTIONS, seed=7)["test"].tolist() == [7, 16]
    assert hash_split([str(n) for n in range(20)], FRACTIONS)["test"].tolist() == [5, 6]
    assert group_split([n // 2 for n in range(20)], FRACTIONS, 7)["test"].tolist() == [14, 15]


@pytest.mark.fault("F14")
@pytest.mark.parametrize(
    ("fractions", "message"),
    [
        ({"train": 0.8, "test": 0.1}, "train=0.8, test=0.1 add up to 0.9"),
        ({"train": 1.5, "test": -0.5}, "test=-0.5: each must be 0 or more"),
        ({}, "add up to 0"),
        ({"train": float("nan")}, "train=nan"),
    ],
)
def test_fractions_that_are_no_shares_are_refused(
    fractions: dict[str, float], message: str
) -> None:
    for split in (
        lambda: random_split(10, fractions, 0),
        lambda: hash_split(["a"], fractions),
        lambda: group_split(["a"], fractions, 0),
    ):
        with pytest.raises(ConfigError, match=message):
            split()
