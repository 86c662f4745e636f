"""Pairs read off a network are what the network computes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch_geometric.data import Batch, Data

from intertwiner_atomic_conv.config import CrossConfig
from intertwiner_atomic_conv.curves import isolated_curve, pair_values


def test_two_atoms_alone_are_worth_their_curve(
    make_network: Callable[..., torch.nn.Module], make_batch: Callable[..., Batch]
) -> None:
    network = make_network(CrossConfig)
    record = Data(
        pos=torch.tensor([[0.0, 0, 0], [3.1, 0, 0]], dtype=torch.float64),
        z=torch.tensor([7, 8]),
        part=torch.tensor([1, 0]),
        name="pair",
    )
    curve = isolated_curve(network, 7, 8, torch.tensor([3.1, 20.0], dtype=torch.float64))
    found = pair_values(network, make_batch(record))
    assert float(curve[0]) == pytest.approx(float(network.interaction(make_batch(record)).detach()))
    assert float(curve[1]) == 0.0
    assert float(found.value[0]) == pytest.approx(float(curve[0]))
    assert (int(found.ligand[0]), int(found.protein[0])) == (7, 8)
    assert float(found.distance[0]) == pytest.approx(3.1)


def test_pairs_of_a_linear_model_add_up_to_the_interaction(
    make_network: Callable[..., torch.nn.Module],
    make_complex: Callable[..., Data],
    make_batch: Callable[..., Batch],
) -> None:
    network = make_network(CrossConfig, hidden=(), dropout=(), skip=False)
    batch = make_batch(make_complex(60, 6), make_complex(40, 4, 2))
    found = pair_values(network, batch)
    total = float(network.interaction(batch).sum().detach())
    assert float(found.value.sum()) == pytest.approx(total, rel=1e-10)
    assert int((found.distance >= 8.0).sum()) == 0
