from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch_geometric.data import Batch, Data

from intertwiner.data.collate import _columns, collate


def molecule(atoms: int) -> Data:
    return Data(
        pos=torch.randn(atoms, 3),
        z=torch.randint(1, 10, (atoms,)),
        name=f"molecule of {atoms}",
        energy=torch.randn(1),
        dipole=torch.randn(1, 3),
        forces=torch.randn(atoms, 3),
        cell=torch.zeros(1, 3, 3),
        pbc=torch.zeros(1, 3, dtype=torch.bool),
    )


def graph(atoms: int, bonds: int) -> Data:
    """Not all nodes have edges, and there is no position to count them by."""
    return Data(
        kind=torch.randint(1, 10, (atoms,)),
        edge_index=torch.randint(0, max(atoms, 1), (2, bonds if atoms else 0)),
        order=torch.randn(bonds if atoms else 0),
        energy=torch.randn(1),
        name=f"graph of {atoms}",
        num_nodes=atoms,
    )


def assert_same(ours: Any, theirs: Any) -> None:
    if isinstance(theirs, torch.Tensor):
        assert ours.dtype == theirs.dtype
        assert torch.equal(ours, theirs)
    else:
        assert ours == theirs


def assert_same_batch(ours: Batch, theirs: Batch) -> None:
    assert type(ours) is type(theirs)
    assert ours.keys() == theirs.keys()
    assert ours.num_graphs == theirs.num_graphs
    assert ours.num_nodes == theirs.num_nodes
    for key in theirs.keys():  # noqa: SIM118
        assert_same(ours[key], theirs[key])
    for mine, other in ((ours._slice_dict, theirs._slice_dict), (ours._inc_dict, theirs._inc_dict)):
        assert mine.keys() == other.keys()
        for key in other:
            assert_same(mine[key], other[key])


@given(st.lists(st.integers(0, 7), min_size=1, max_size=9))
def test_a_batch_equals_that_of_the_general_collation(sizes: list[int]) -> None:
    records = [molecule(atoms) for atoms in sizes]
    assert _columns(records) is not None
    assert_same_batch(collate(records), Batch.from_data_list(records))


@given(st.lists(st.integers(1, 7), min_size=1, max_size=5))
def test_a_batch_can_be_taken_apart_again(sizes: list[int]) -> None:
    records = [molecule(atoms) for atoms in sizes]
    for record, back in zip(records, collate(records).to_data_list(), strict=True):
        assert record.keys() == back.keys()
        for key in record.keys():  # noqa: SIM118
            assert_same(back[key], record[key])


@pytest.mark.fault("F29")
def test_sizes_one_and_ten_thousand_share_a_batch() -> None:
    batch = collate([molecule(1), molecule(10_000)])
    assert batch.ptr.tolist() == [0, 1, 10_001]
    assert batch.batch.bincount().tolist() == [1, 10_000]


@pytest.mark.parametrize(
    "extra",
    [
        {"face": torch.tensor([[0, 1], [1, 0], [1, 1]])},
        {"count": 3},
        {"weight": torch.tensor(2.0)},
        {"edge_attr_index": torch.ones(2)},
        {"pos": None},
    ],
)
def test_records_that_are_not_flat_are_left_to_the_general_collation(
    extra: dict[str, Any],
) -> None:
    records = [Data(**{"pos": torch.randn(2, 3), "name": str(n), **extra}) for n in range(3)]
    assert _columns(records) is None
    if extra != {"pos": None}:
        assert_same_batch(collate(records), Batch.from_data_list(records))


def test_records_with_different_fields_are_left_to_the_general_collation() -> None:
    first, second = molecule(2), molecule(3)
    second.extra = torch.zeros(1)
    assert _columns([first, second]) is None


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 7)), min_size=1, max_size=6))
def test_a_batch_of_graphs_equals_that_of_the_general_collation(
    sizes: list[tuple[int, int]],
) -> None:
    records = [graph(atoms, bonds) for atoms, bonds in sizes]
    assert _columns(records) is not None
    assert_same_batch(collate(records), Batch.from_data_list(records))
    for record, back in zip(records, collate(records).to_data_list(), strict=True):
        assert record.num_nodes == back.num_nodes
        for key in record.keys():  # noqa: SIM118
            assert_same(back[key], record[key])
