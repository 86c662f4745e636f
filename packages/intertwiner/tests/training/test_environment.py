"""Every step has random numbers of its own, and leaves no trace behind."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch_geometric.data import Batch, Data

from intertwiner.training.environment import deterministic, seed_step, step_seed, to_precision

numbers = st.integers(0, 2**31)


@given(numbers, numbers, st.integers(0, 1000))
def test_a_step_has_one_seed_and_it_is_a_valid_one(seed, step, rank):
    assert step_seed(seed, step, rank) == step_seed(seed, step, rank)
    assert 0 <= step_seed(seed, step, rank) < 2**63


def test_steps_ranks_and_seeds_do_not_share_random_numbers():
    found = {step_seed(s, t, r) for s in range(10) for t in range(100) for r in range(8)}
    assert len(found) == 10 * 100 * 8


def test_seeding_a_step_repeats_its_random_numbers():
    with deterministic(0):
        seed_step(1, 2, 0)
        first = torch.rand(5)
        seed_step(1, 3, 0)
        assert not torch.equal(torch.rand(5), first)
        seed_step(1, 2, 0)
        assert torch.equal(torch.rand(5), first)


def test_double_precision_reaches_every_floating_field_and_no_other():
    data = Data(pos=torch.zeros(2, 3), z=torch.ones(2, dtype=torch.long), num_nodes=2)
    batch = to_precision(Batch.from_data_list([data]), "64-true")
    assert batch.pos.dtype == torch.float64
    assert batch.z.dtype == torch.long
    assert batch.batch.dtype == torch.long
