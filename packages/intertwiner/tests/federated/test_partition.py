"""Shares of records: disjoint, complete, repeatable, and as uneven as asked for."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch_geometric.data import Data

from intertwiner.errors import ConfigError
from intertwiner.federated.partition import (
    dirichlet_partition,
    groups_of,
    partition,
    random_partition,
)
from intertwiner.federated.settings import FederationConfig


def records(count: int = 40) -> list[Data]:
    return [
        Data(energy=torch.tensor([float(n)]), kind=torch.tensor([n % 3]), scaffold=f"s{n % 5}")
        for n in range(count)
    ]


def halves(records, clients, seed):
    return np.array_split(np.arange(len(records)), clients)


def first_share(records, clients, seed, alpha):
    return np.split(np.arange(len(records)), [int(alpha * len(records))])


def overlapping(records, clients, seed):
    return [np.arange(4)] * clients


@given(st.integers(5, 60), st.integers(1, 5), st.integers(0, 1000))
def test_random_shares_are_disjoint_complete_and_equal_to_one_record(count, clients, seed):
    parts = random_partition(count, clients, seed)
    assert sorted(np.concatenate(parts).tolist()) == list(range(count))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@given(st.integers(1, 5), st.floats(0.2, 10), st.integers(0, 1000))
def test_dirichlet_shares_are_disjoint_complete_and_repeatable(clients, alpha, seed):
    groups = [n % 4 for n in range(60)]
    parts = dirichlet_partition(groups, clients, alpha, seed)
    assert sorted(np.concatenate(parts).tolist()) == list(range(60))
    again = dirichlet_partition(groups, clients, alpha, seed)
    assert all(np.array_equal(a, b) for a, b in zip(parts, again, strict=True))


def test_small_alpha_gives_every_client_few_groups_and_large_alpha_all_alike():
    groups = np.repeat(np.arange(4), 250)

    def unevenness(alpha: float) -> float:
        parts = dirichlet_partition(groups, 4, alpha, 0)
        shares = [np.bincount(groups[part], minlength=4) / len(part) for part in parts]
        return float(np.abs(np.array(shares) - 0.25).mean())

    assert unevenness(0.1) > 0.2
    assert unevenness(100.0) < 0.05


def test_groups_are_labels_attributes_or_tenths_of_a_number():
    assert groups_of(records(), "kind")[:4] == [0, 1, 2, 0]
    assert groups_of(records(), "scaffold")[:2] == ["s0", "s1"]
    tenths = groups_of(records(), "energy")
    assert len(set(tenths)) == 10
    assert tenths == sorted(tenths)
    vectors = [Data(dipole=torch.tensor([[0.0, float(n), 0.0]])) for n in range(40)]
    assert groups_of(vectors, "dipole") == tenths


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"clients": 41}, r"41 clients.*41 training records, there are 40"),
        ({"partition": "magic"}, r"federation\.partition: 'magic' is not known"),
        ({"partition": "dirichlet", "group_by": "charge"}, r"federation\.group_by: 'charge'"),
        (
            {"partition": "dirichlet", "alpha": 1e-3, "smallest": 9, "group_by": "kind"},
            r"federation\.alpha: 0\.001 leaves some of 4 clients",
        ),
    ],
)
def test_shares_that_cannot_be_had_are_refused_with_the_numbers(settings, message):
    with pytest.raises(ConfigError, match=message):
        partition(records(), FederationConfig(**settings), 0)


def test_a_scheme_of_ones_own_is_looked_over(monkeypatch):
    import intertwiner.federated.partition as module

    for name, scheme in (("halves", halves), ("overlapping", overlapping)):
        monkeypatch.setattr(module, name, scheme, raising=False)
    own = FederationConfig(partition="intertwiner.federated.partition:halves")
    assert [len(part) for part in partition(records(), own, 0)] == [10] * 4
    monkeypatch.setattr(module, "first_share", first_share, raising=False)
    uneven = {"partition": "intertwiner.federated.partition:first_share", "clients": 2}
    shares = partition(records(), FederationConfig(**uneven, alpha=0.25), 0)
    assert [len(part) for part in shares] == [10, 30]
    wrong = FederationConfig(partition="intertwiner.federated.partition:overlapping")
    with pytest.raises(ConfigError, match="disjoint ones that are not empty"):
        partition(records(), wrong, 0)
