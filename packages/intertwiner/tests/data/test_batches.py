from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch_geometric.data import Data

from intertwiner.data import Batches
from intertwiner.errors import ConfigError

counts = st.integers(1, 60)
sizes = st.integers(1, 9)
worlds = st.integers(1, 4)
seeds = st.integers(0, 1000)


def records(count: int) -> list[Data]:
    return [
        Data(pos=torch.full((number % 4 + 1, 3), float(number)), name=str(number))
        for number in range(count)
    ]


def ranks(count: int, size: int, world: int, **options: object) -> list[Batches]:
    found = records(count)
    return [Batches(found, size, rank=r, world_size=world, **options) for r in range(world)]


def names(batches: Batches, epoch: int = 0, start: int = 0) -> list[list[str]]:
    return [batch.name for batch in batches.epoch(epoch, start)]


@given(counts, sizes, worlds)
def test_evaluation_sees_every_record_exactly_once(count: int, size: int, world: int) -> None:
    seen = [
        n for batches in ranks(count, size, world, shuffle=False) for s in names(batches) for n in s
    ]
    assert sorted(map(int, seen)) == list(range(count))


@given(counts, sizes)
def test_evaluation_on_one_rank_keeps_the_order(count: int, size: int) -> None:
    (batches,) = ranks(count, size, 1, shuffle=False)
    assert [int(n) for step in names(batches) for n in step] == list(range(count))


@given(counts, sizes, worlds, seeds, st.booleans())
def test_in_training_all_ranks_take_the_same_steps_of_the_same_size(
    count: int, size: int, world: int, seed: int, drop_last: bool
) -> None:
    steps = [
        [len(step) for step in batches.numbers()]
        for batches in ranks(count, size, world, shuffle=True, seed=seed, drop_last=drop_last)
    ]
    assert all(step == steps[0] for step in steps)
    assert steps[0]
    assert all(length == size for length in steps[0][:-1])


@given(counts, sizes, worlds, seeds)
def test_training_without_drop_last_sees_all_and_repeats_fewer_than_the_ranks(
    count: int, size: int, world: int, seed: int
) -> None:
    seen = np.concatenate(
        [n for b in ranks(count, size, world, shuffle=True, seed=seed) for n in b.numbers()]
    )
    assert set(seen.tolist()) == set(range(count))
    assert len(seen) - count < world


@given(counts, sizes, worlds, seeds)
def test_drop_last_repeats_nothing_and_leaves_only_full_steps(
    count: int, size: int, world: int, seed: int
) -> None:
    if count < size * world:
        return
    steps = [
        step
        for batches in ranks(count, size, world, shuffle=True, seed=seed, drop_last=True)
        for step in batches.numbers()
    ]
    seen = np.concatenate(steps)
    assert {len(step) for step in steps} == {size}
    assert len(set(seen.tolist())) == len(seen) > count - size * world


@given(counts, sizes, worlds, seeds)
def test_the_records_of_a_step_do_not_depend_on_how_many_ranks_share_it(
    count: int, size: int, world: int, seed: int
) -> None:
    (alone,) = ranks(count, size * world, 1, shuffle=True, seed=seed, drop_last=True)
    shared = ranks(count, size, world, shuffle=True, seed=seed, drop_last=True)
    if count < size * world:
        return
    for step, whole in enumerate(alone.numbers()):
        together = np.concatenate([batches.numbers()[step] for batches in shared])
        assert sorted(together.tolist()) == sorted(whole.tolist())


@given(counts, sizes, seeds, st.integers(0, 5), st.data())
@pytest.mark.fault("F07")
def test_an_epoch_can_be_resumed_at_any_step(
    count: int, size: int, seed: int, epoch: int, data: st.DataObject
) -> None:
    (batches,) = ranks(count, size, 1, shuffle=True, seed=seed)
    start = data.draw(st.integers(0, len(batches)))
    assert names(batches, epoch, start) == names(batches, epoch)[start:]


@given(counts, sizes, worlds, st.booleans())
def test_the_length_is_the_number_of_steps(
    count: int, size: int, world: int, shuffle: bool
) -> None:
    for batches in ranks(count, size, world, shuffle=shuffle):
        assert len(batches) == len(batches.numbers()) == len(list(batches.epoch()))


def test_epochs_and_seeds_differ_but_repeat() -> None:
    (first,), (same,), (other,) = (ranks(40, 8, 1, shuffle=True, seed=s) for s in (3, 3, 4))
    assert names(first, 1) == names(same, 1)
    assert names(first, 0) != names(first, 1)
    assert names(first, 0) != names(other, 0)


def test_no_records_make_no_steps() -> None:
    for shuffle in (True, False):
        batches = Batches([], 4, shuffle=shuffle)
        assert len(batches) == 0
        assert list(batches.epoch()) == []


@pytest.mark.fault("F14")
def test_a_batch_size_below_one_is_refused() -> None:
    with pytest.raises(ConfigError, match="batch size 0"):
        Batches([], 0, shuffle=True)


def test_evaluation_cannot_be_told_to_drop_records() -> None:
    with pytest.raises(ConfigError, match="drop_last"):
        Batches([], 1, shuffle=False, drop_last=True)
