"""The guard of a radial table: more knots for sharp networks, and the same after a resumed run."""

from __future__ import annotations

import copy
import warnings

import pytest
import torch

from intertwiner_equivariant_conv import RadialBasis, RadialNetwork
from intertwiner_equivariant_conv.layers.table_guard import (
    FIRST_KNOTS,
    MOST_KNOTS,
    SharpRadialNetwork,
    TableGuard,
)


def make_network(factor: float = 1.0) -> tuple[RadialNetwork, RadialBasis]:
    network = RadialNetwork(8, (32, 32), 16)
    with torch.no_grad():
        for weight in network.weights:
            weight.mul_(factor)
    return network, RadialBasis(8, 5.0)


def test_a_plain_network_keeps_the_first_knots() -> None:
    assert TableGuard()(*make_network()) == FIRST_KNOTS


def test_a_sharp_network_gets_more_knots() -> None:
    assert FIRST_KNOTS < TableGuard()(*make_network(4.0)) <= MOST_KNOTS


def test_a_network_too_sharp_is_left_to_the_exact_path_with_one_warning() -> None:
    guard, pair = TableGuard(check_every=1), make_network(60.0)
    with pytest.warns(SharpRadialNetwork, match="with 4096 knots: the exact network serves"):
        assert guard(*pair) == 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert guard(*pair) == 0


def test_a_network_that_sharpens_is_noticed_at_the_next_check() -> None:
    guard, (network, basis) = TableGuard(check_every=3), make_network()
    seen = [guard(network, basis)]
    with torch.no_grad():
        for weight in network.weights:
            weight.mul_(4.0)
    seen += [guard(network, basis) for _ in range(3)]
    assert seen[:3] == [FIRST_KNOTS] * 3
    assert seen[3] > FIRST_KNOTS


def test_a_resumed_run_checks_at_the_same_steps() -> None:
    guard, pair = TableGuard(check_every=3), make_network()
    for _ in range(2):
        guard(*pair)
    resumed = TableGuard(check_every=3)
    resumed.load_state_dict(guard.state_dict())
    sharp = make_network(4.0)
    assert [guard(*sharp) for _ in range(5)] == [resumed(*sharp) for _ in range(5)]
    assert torch.equal(guard.steps, resumed.steps)


def test_evaluation_changes_no_state_and_looks_at_new_weights() -> None:
    guard, (network, basis) = TableGuard().eval(), make_network()
    before = copy.deepcopy(guard.state_dict())
    assert guard(network, basis) == FIRST_KNOTS
    with torch.no_grad():
        for weight in network.weights:
            weight.mul_(4.0)
    assert guard(network, basis) > FIRST_KNOTS
    assert all(torch.equal(guard.state_dict()[name], value) for name, value in before.items())
