"""Distinct messages and states give what every message and state gives, in double precision."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from intertwiner_fedchem.layers.message_plan import Plan, colour_plan, edges_of, grouped_plan
from intertwiner_fedchem.layers.message_sum import message_sum

LOOP = 9


def random_graph(seed: int, atoms: int, bonds: int) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(seed)
    ends = torch.randint(0, atoms, (2, bonds), generator=generator)
    codes = torch.randint(0, 3, (bonds,), generator=generator)
    both = torch.cat([ends, ends.flip(0)], 1)
    return torch.randint(0, 2, (atoms,), generator=generator), both, codes.repeat(2)


def run(plan: Plan, table: torch.Tensor, matrices: torch.Tensor) -> torch.Tensor:
    states = table[plan.atom_codes]
    for step in plan.steps:
        received = message_sum(states, matrices[plan.types], step)
        states = torch.tanh(received + states.index_select(0, step.previous))
    return states.index_select(0, plan.expand)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 12), st.integers(0, 14))
def test_colours_give_the_states_of_all_atoms_and_their_gradients(
    seed: int, atoms: int, bonds: int
) -> None:
    atom_code, ends, codes = random_graph(seed, atoms, bonds)
    generator = torch.Generator().manual_seed(seed)
    table = torch.randn(2, 3, generator=generator, dtype=torch.float64, requires_grad=True)
    matrices = torch.randn(10, 3, 3, generator=generator, dtype=torch.float64, requires_grad=True)
    found = []
    for make in (grouped_plan, colour_plan):
        plan = make(atom_code, edges_of(ends, codes, atoms, LOOP), 3)
        out = run(plan, table, matrices)
        slopes = torch.autograd.grad((out * out.cos()).sum(), (table, matrices))
        found.append((out, *slopes))
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)


def test_the_grouped_form_is_the_sum_over_edges() -> None:
    atom_code, ends, codes = random_graph(3, 6, 7)
    edges = edges_of(ends, codes, 6, LOOP)
    states, matrices = torch.randn(6, 4), torch.randn(len(edges.types), 4, 4)
    step = grouped_plan(atom_code, edges, 1).steps[0]
    expected = torch.zeros(6, 4)
    for source, target, kind in zip(edges.source, edges.target, edges.kind, strict=True):
        expected[target] += states[source] @ matrices[kind]
    torch.testing.assert_close(message_sum(states, matrices, step), expected)


def test_the_operation_has_the_gradient_of_its_definition() -> None:
    atom_code, ends, codes = random_graph(5, 5, 6)
    edges = edges_of(ends, codes, 5, LOOP)
    for step in (
        *colour_plan(atom_code, edges, 2).steps,
        grouped_plan(atom_code, edges, 1).steps[0],
    ):
        states = torch.randn(int(step.previous.max()) + 1, 2, dtype=torch.float64)
        states = torch.randn(max(len(states), int(step.source.max()) + 1), 2, dtype=torch.float64)
        matrices = torch.randn(len(edges.types), 2, 2, dtype=torch.float64)
        given_ = (states.requires_grad_(), matrices.requires_grad_())
        assert torch.autograd.gradcheck(lambda h, w, step=step: message_sum(h, w, step), given_)


def test_a_molecule_of_equal_atoms_has_one_state() -> None:
    ring = torch.tensor([[0, 1, 2, 3, 4, 5], [1, 2, 3, 4, 5, 0]])
    ends = torch.cat([ring, ring.flip(0)], 1)
    codes = torch.zeros(12, dtype=torch.long)
    plan = colour_plan(torch.zeros(6, dtype=torch.long), edges_of(ends, codes, 6, LOOP), 3)
    assert [len(step.previous) for step in plan.steps] == [1, 1, 1]
    assert [len(step.source) for step in plan.steps] == [2, 2, 2]


@pytest.mark.parametrize("copies", [1, 5])
def test_copies_of_a_molecule_cost_no_further_state(copies: int) -> None:
    atom_code, ends, codes = random_graph(1, 5, 4)
    shifts = torch.arange(copies).repeat_interleave(ends.shape[1]) * 5
    edges = edges_of(ends.repeat(1, copies) + shifts, codes.repeat(copies), 5 * copies, LOOP)
    single = colour_plan(atom_code, edges_of(ends, codes, 5, LOOP), 3)
    plan = colour_plan(atom_code.repeat(copies), edges, 3)
    sizes = [[len(step.previous) for step in each.steps] for each in (single, plan)]
    assert sizes[0] == sizes[1]
