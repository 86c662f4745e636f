"""What an operation moves and computes, counted while its definition runs."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
import torch
from torch import Tensor

from intertwiner import floors
from intertwiner.floors import Cost, Machine, cost_of

CPU = torch.device("cpu")


def test_a_product_of_matrices_counts_two_operations_for_every_term():
    a, b = torch.ones(3, 5), torch.ones(5, 7)
    expected = Cost(4 * (3 * 5 + 5 * 7 + 3 * 7), 2 * 3 * 5 * 7)
    assert cost_of(torch.matmul, (a, b)) == expected
    assert cost_of(lambda x, y: torch.einsum("ij,jk->ik", x, y), (a, b)) == expected


def test_functions_of_elements_count_results_and_sums_count_terms():
    x = torch.ones(4, 6)
    assert cost_of(lambda x: (x * x).exp(), (x,)).operations == 2 * 24
    assert cost_of(lambda x: x.sum(dim=1), (x,)).operations == 24
    place = torch.tensor([0, 0, 1, 1])
    assert cost_of(lambda x: x.new_zeros(2, 6).index_add(0, place, x), (x,)).operations == 24


def test_views_copies_and_whole_numbers_are_no_arithmetic():
    x, n = torch.ones(4, 6), torch.arange(24)
    assert cost_of(lambda x: x.T.reshape(3, 8)[1:].clone(), (x,)).operations == 0
    assert cost_of(lambda n: n * 2 + 1, (n,)).operations == 0


@dataclass(frozen=True)
class Graph:
    place: Tensor
    kept: list[Tensor] = field(default_factory=list, init=False)


def test_every_input_counts_once_and_what_an_object_keeps_does_not():
    x, graph = torch.ones(4), Graph(torch.arange(2))
    graph.kept.append(torch.ones(1000))
    found = cost_of(lambda x, again, graph: x[graph.place], (x, x, graph))
    assert found.bytes == 4 * 4 + 2 * 8 + 2 * 4


def test_the_floors_are_bytes_over_bandwidth_and_operations_over_rate(monkeypatch):
    monkeypatch.setattr(floors, "_best", lambda work, size: (work(), 0.5)[1])
    machine = Machine(CPU)
    of_bytes, of_operations = machine.seconds(Cost(1 << 20, 1000))
    assert of_bytes == pytest.approx(0.5)
    assert of_operations == pytest.approx(1000 / (2 * floors.ORDER**3 / 0.5))


def test_bandwidth_is_measured_once_for_sizes_that_are_alike(monkeypatch):
    asked = []
    monkeypatch.setattr(floors, "_best", lambda work, size: asked.append(size) or 1.0)
    machine = Machine(CPU)
    for size in (1, 100_000, 120_000, 1 << 20):
        machine.bandwidth(size)
    assert asked == [floors.SMALLEST, 1 << 17, 1 << 20]


def test_a_machine_measures_something():
    machine = Machine(CPU)
    assert machine.bandwidth(1 << 16) > 0
    assert machine.rate > 0
