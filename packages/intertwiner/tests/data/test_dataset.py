"""Datasets and their parts behave as sequences, and name what they do not have."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch_geometric.data import Data

from intertwiner.data import Dataset
from intertwiner.errors import DataError

RECORDS = [Data(pos=torch.zeros(1, 3), number=number) for number in range(6)]
SPLIT = {"train": np.array([5, 1, 3]), "test": np.array([0])}


@pytest.fixture
def dataset():
    return Dataset(RECORDS, {"random": SPLIT})


def test_a_part_gives_its_records_in_its_own_order(dataset):
    part = dataset.part("train")
    assert len(part) == 3
    assert [record.number for record in part] == [5, 1, 3]
    assert part[-1].number == 3


def test_slices_of_datasets_and_parts_are_parts(dataset):
    assert [record.number for record in dataset[1:6:2]] == [1, 3, 5]
    assert [record.number for record in dataset.part("train")[:2]] == [5, 1]
    assert len(dataset[6:]) == 0


def test_an_index_outside_ends_the_sequence(dataset):
    with pytest.raises(IndexError):
        dataset.part("test")[1]
    assert len(list(dataset)) == 6


def test_a_missing_scheme_or_part_is_named_with_those_there_are(dataset):
    with pytest.raises(DataError, match="no split 'scaffold'; this dataset has random"):
        dataset.part("train", "scaffold")
    with pytest.raises(DataError, match="no part 'validation'; it has train, test"):
        dataset.part("validation")
