"""The formula of the cost counts what the network multiplies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from intertwiner_equivariant_conv.paper.config import PaperConfig
from intertwiner_equivariant_conv.paper.network import PaperNetwork
from intertwiner_equivariant_conv.studies.cost import multiply_adds


@pytest.mark.parametrize("atoms", [4, 18])
@pytest.mark.parametrize(
    ("multiplicities", "layers", "hidden"),
    [((32,), 3, 32), ((17, 5), 2, 32), ((10, 4, 2), 3, 32), ((64, 21), 4, 128)],
)
def test_the_formula_agrees_with_the_counted_products(
    make_schema: Callable[..., Any],
    make_batch: Callable[..., Any],
    atoms: int,
    multiplicities: Sequence[int],
    layers: int,
    hidden: int,
) -> None:
    config = PaperConfig(
        multiplicities=tuple(multiplicities),
        layers=layers,
        embed=hidden,
        radial_hidden=hidden,
        radial_basis=16,
    )
    network = PaperNetwork(config, make_schema("energy", "gap")).double()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(make_batch(atoms))
    expected = multiply_adds(config, atoms, targets=2, elements=5)
    assert counter.get_total_flops() / 2 == pytest.approx(expected, rel=0.05)


def test_cost_grows_with_atoms_targets_and_order() -> None:
    base = PaperConfig(multiplicities=(17, 5))
    assert multiply_adds(base, 20) > multiply_adds(base, 10)
    assert multiply_adds(base, 10, targets=12) > multiply_adds(base, 10)
    assert multiply_adds(PaperConfig(multiplicities=(10, 4, 2)), 10) > 0
