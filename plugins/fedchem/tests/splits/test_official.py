"""The division of the released code, number by number, and its faults."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from torch_geometric.data import Data

from intertwiner.errors import ConfigError
from intertwiner_fedchem.splits.official import (
    official_clients,
    official_partition,
    sampled_clients,
)
from intertwiner_fedchem.splits.parts import official_parts

SETS = ("freesolv", "esol", "lipo", "BACE", "BBBP", "ClinTox", "SIDER", "Tox21")
FINGERPRINTS = {"freesolv": "4161c5db1f40221c", "esol": "f793c38c1d1d620b"}


@pytest.mark.parametrize("name", SETS)
def test_parts_and_clients_are_the_fixtures_in_their_order(parity_folder: Path, name: str) -> None:
    stored = np.load(parity_folder / "official_partition.npz")
    labels = stored[f"{name}.scaffold_label"]
    parts = official_parts(len(labels))
    for ours, theirs in (("train", "train"), ("validation", "val"), ("test", "test")):
        np.testing.assert_array_equal(parts[ours], stored[f"{name}.{theirs}"])
    for alpha in (0.1, 0.5, 1.0):
        clients = official_clients(labels[parts["train"]], 4, alpha)
        key = f"{name}.c4.a{alpha}"
        np.testing.assert_array_equal(np.concatenate(clients), stored[f"{key}.indices"])
        np.testing.assert_array_equal(np.cumsum([0, *map(len, clients)]), stored[f"{key}.ptr"])
        everything = np.concatenate(clients)
        assert len(np.unique(everything)) == len(everything) == len(parts["train"]) - 1
        if alpha == 0.1 and name in FINGERPRINTS:
            owner = np.full(len(parts["train"]), -1, dtype=np.int8)
            for client, members in enumerate(clients):
                owner[members] = client
            assert hashlib.sha256(owner.tobytes()).hexdigest()[:16] == FINGERPRINTS[name]


def test_the_clients_asked_are_those_of_the_released_code() -> None:
    assert [sampled_clients(n, 4) for n in range(4)] == [[2, 3, 1], [3, 2, 0], [2, 3, 1], [3, 1, 0]]
    assert [sampled_clients(n, 5) for n in range(4)] == [[2, 0, 1], [2, 1, 4], [2, 4, 1], [3, 4, 1]]


def test_clients_that_stay_too_small_are_refused_where_the_released_code_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("intertwiner_fedchem.splits.official.LAST_SEED", 4)
    records = [Data(scaffold=torch.tensor([n % 5])) for n in range(100)]
    with pytest.raises(ConfigError, match="stays below 64 after 3 tries"):
        official_partition(records, 4, 0, 0.1)
