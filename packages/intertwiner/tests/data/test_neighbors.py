"""Neighbour lists against counting every pair and every image by hand."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from intertwiner.data import neighbors
from intertwiner.data.neighbors import Neighbors, neighbor_list
from intertwiner.errors import DataError

OPEN = np.zeros(3, dtype=bool)


def cloud(count: int, seed: int, density: float = 0.1) -> Tensor:
    """Points in a cube, `density` of them per unit volume, as float32 [count, 3]."""
    side = (count / density) ** (1 / 3)
    return torch.rand((count, 3), generator=torch.Generator().manual_seed(seed)) * side


def by_hand(pos: Tensor, cutoff: float, cell: Tensor | None, pbc: np.ndarray) -> list[tuple]:
    """Sorted (target, source, image counts), every image within reach tried."""
    points = pos.double().numpy()
    box = np.eye(3) if cell is None else cell.double().numpy()
    spread = 2 * np.linalg.norm(points, axis=1).max(initial=0.0) + cutoff
    reach = int(spread * np.linalg.norm(np.linalg.inv(box), axis=0).max()) + 1 if pbc.any() else 0
    ranges = [range(-reach, reach + 1) if repeats else (0,) for repeats in pbc]
    images = np.array(list(itertools.product(*ranges)))
    found = []
    for a, b in itertools.product(range(len(points)), repeat=2):
        distance = np.linalg.norm(points[b] + images @ box - points[a], axis=1)
        near = (distance < cutoff) & ((a != b) | images.any(1))
        found += [(a, b, *image) for image in images[near].tolist()]
    return sorted(found)


def edges(found: Neighbors, cell: Tensor | None = None) -> list[tuple]:
    """(target, source, image counts) in the order given."""
    box = torch.eye(3) if cell is None else cell
    images = torch.linalg.solve(box.double().T, found.shift.double().T).T.round().long()
    rows = torch.cat([found.target[:, None], found.source[:, None], images], dim=1)
    return [tuple(row) for row in rows.tolist()]


@settings(max_examples=60, deadline=None)
@given(
    count=st.integers(0, 12),
    seed=st.integers(0, 10_000),
    cutoff=st.floats(0.1, 6.0),
    density=st.floats(0.02, 0.5),
)
def test_an_open_graph_has_the_pairs_counted_by_hand(
    count: int, seed: int, cutoff: float, density: float
) -> None:
    pos = cloud(count, seed, density)
    assert edges(neighbor_list(pos, cutoff)) == by_hand(pos, cutoff, None, OPEN)


@settings(max_examples=60, deadline=None)
@given(
    count=st.integers(1, 5),
    seed=st.integers(0, 10_000),
    cutoff=st.floats(0.3, 4.0),
    pbc=st.tuples(st.booleans(), st.booleans(), st.booleans()),
    zero=st.booleans(),
)
def test_a_periodic_graph_has_the_pairs_and_images_counted_by_hand(
    count: int, seed: int, cutoff: float, pbc: tuple[bool, bool, bool], zero: bool
) -> None:
    generator = torch.Generator().manual_seed(seed)
    pos = torch.rand((count, 3), generator=generator) * 6 - 3
    cell = torch.rand((3, 3), generator=generator) * 0.8 + torch.eye(3) * 1.5
    repeats = np.array(pbc)
    given_cell = cell * torch.tensor(pbc)[:, None] if zero else cell
    found = neighbor_list(pos, cutoff, cell=given_cell[None], pbc=torch.tensor([pbc]))
    assert edges(found, cell) == by_hand(pos, cutoff, cell, repeats)


@pytest.mark.fault("F27")
def test_a_cutoff_of_many_cells_counts_every_image() -> None:
    pos, cell = torch.zeros((1, 3)), torch.eye(3)
    found = neighbor_list(pos, 2.5, cell=cell[None], pbc=torch.ones((1, 3), dtype=torch.bool))
    lattice = itertools.product(range(-3, 4), repeat=3)
    assert len(found.source) == sum(0 < x * x + y * y + z * z < 6.25 for x, y, z in lattice)


@pytest.mark.fault("F27")
@pytest.mark.parametrize("cutoff", [0.0, -1.0, float("nan"), float("inf")])
def test_a_cutoff_that_is_not_a_positive_length_is_refused(cutoff: float) -> None:
    with pytest.raises(DataError, match="cutoff"):
        neighbor_list(torch.zeros((1, 3)), cutoff)


@pytest.mark.fault("F27")
@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (torch.zeros((3, 3)), "graph 1.*zero"),
        (torch.tensor([[1.0, 0, 0], [2.0, 0, 0], [0, 0, 1.0]]), "graph 1.*plane"),
    ],
)
def test_a_cell_that_cannot_repeat_names_its_graph(cell: Tensor, words: str) -> None:
    pos, ptr = torch.tensor([[0.0, 0, 0], [0, 0, 0], [0, 0, 1]]), torch.tensor([0, 1, 3])
    pbc = torch.tensor([[False] * 3, [True] * 3])
    with pytest.raises(DataError, match=words):
        neighbor_list(pos, 2.0, ptr=ptr, cell=torch.stack([torch.eye(3), cell]), pbc=pbc)


@pytest.mark.fault("F27")
def test_periodic_boundaries_without_a_cell_are_refused() -> None:
    with pytest.raises(DataError, match="cell"):
        neighbor_list(torch.zeros((1, 3)), 2.0, pbc=torch.ones((1, 3), dtype=torch.bool))


@pytest.mark.fault("F22")
@pytest.mark.parametrize("count", [4, neighbors.DENSE_NODES + 20])
def test_two_atoms_in_one_place_are_both_named(count: int) -> None:
    pos = torch.cat([torch.zeros((1, 3)), cloud(count, 0)])
    pos[1], ptr = pos[3], torch.tensor([0, 1, count + 1])
    with pytest.raises(DataError, match="atom 0 of graph 1 and atom 2 of graph 1"):
        neighbor_list(pos, 2.0, ptr=ptr)


@pytest.mark.fault("F22")
def test_an_atom_on_its_neighbours_periodic_image_is_named() -> None:
    pos = torch.tensor([[0.0, 0, 0], [2.0, 0, 0]])
    pbc = torch.tensor([[True, False, False]])
    with pytest.raises(DataError, match="atom 0 and atom 1"):
        neighbor_list(pos, 1.0, cell=2 * torch.eye(3)[None], pbc=pbc)


@pytest.mark.fault("F22")
@pytest.mark.parametrize("count", [0, 1])
def test_graphs_without_pairs_give_empty_tensors(count: int) -> None:
    found = neighbor_list(torch.zeros((count, 3)), 3.0)
    assert found.source.shape == found.target.shape == (0,)
    assert found.shift.shape == (0, 3)
    assert found.source.dtype == torch.int64


@pytest.mark.fault("F20")
@pytest.mark.parametrize("count", [6, neighbors.DENSE_NODES + 6])
@pytest.mark.parametrize("value", [float("nan"), float("-inf")])
def test_a_position_that_is_not_finite_names_its_atom(count: int, value: float) -> None:
    pos = cloud(count, 0)
    pos[4, 1] = value
    with pytest.raises(DataError, match="atom 4 "):
        neighbor_list(pos, 3.0)


@settings(max_examples=40, deadline=None)
@given(sizes=st.lists(st.integers(0, 9), min_size=1, max_size=6), seed=st.integers(0, 10_000))
def test_a_batch_gives_what_its_graphs_give_alone(sizes: list[int], seed: int) -> None:
    parts = [cloud(size, seed + index) for index, size in enumerate(sizes)]
    expect_batch_equals_singles(parts, 3.0)


def expect_batch_equals_singles(parts: list[Tensor], cutoff: float) -> None:
    starts = np.cumsum([0, *(len(part) for part in parts)])
    together = neighbor_list(torch.cat(parts), cutoff, ptr=torch.from_numpy(starts))
    alone = [neighbor_list(part, cutoff) for part in parts]
    pairs = list(zip(alone, starts, strict=False))
    assert torch.equal(together.source, torch.cat([one.source + int(at) for one, at in pairs]))
    assert torch.equal(together.target, torch.cat([one.target + int(at) for one, at in pairs]))


@pytest.mark.fault("F29")
def test_a_batch_of_sizes_1_and_10000_gives_what_its_graphs_give_alone() -> None:
    expect_batch_equals_singles([cloud(1, 0), cloud(10_000, 1), cloud(1, 2), cloud(12, 3)], 3.0)


def test_open_and_periodic_graphs_share_a_batch() -> None:
    parts, cell = [cloud(5, 0), cloud(4, 1), cloud(3, 2)], torch.eye(3) * 2.5
    pbc = torch.tensor([[False] * 3, [True] * 3, [False] * 3])
    cells, ptr = cell.repeat(3, 1, 1), torch.tensor([0, 5, 9, 12])
    found = neighbor_list(torch.cat(parts), 3.0, ptr=ptr, cell=cells, pbc=pbc)
    expected = [
        (a + start, b + start, *image)
        for part, start, repeats in zip(parts, (0, 5, 9), pbc.numpy(), strict=True)
        for a, b, *image in by_hand(part, 3.0, cell, repeats)
    ]
    assert edges(found, cell) == expected


def test_the_two_ways_agree_on_the_same_cloud(monkeypatch: pytest.MonkeyPatch) -> None:
    pos = cloud(200, 4)
    dense = neighbor_list(pos, 3.0)
    monkeypatch.setattr(neighbors, "DENSE_NODES", 0)
    listed = neighbor_list(pos, 3.0)
    assert torch.equal(dense.source, listed.source)
    assert torch.equal(dense.target, listed.target)


def test_comparing_in_chunks_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    pos, ptr = cloud(90, 5), torch.tensor([0, 30, 31, 90])
    whole = neighbor_list(pos, 3.0, ptr=ptr)
    monkeypatch.setattr(neighbors, "CHUNK_PAIRS", 100)
    assert edges(neighbor_list(pos, 3.0, ptr=ptr)) == edges(whole)


def test_an_atom_very_far_away_changes_nothing_for_the_others() -> None:
    pos = cloud(400, 6)
    far = torch.cat([pos, torch.tensor([[0.0, 0.0, 1e7]])])
    assert edges(neighbor_list(far, 2.0)) == edges(neighbor_list(pos, 2.0))


def test_a_cell_longer_than_any_list_can_hold_is_refused() -> None:
    cell = torch.diag(torch.tensor([1.0, 1.0, 1e7]))[None]
    with pytest.raises(DataError, match="elongated"):
        neighbor_list(cloud(3, 0), 1.0, cell=cell, pbc=torch.ones((1, 3), dtype=torch.bool))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_edge_vector_is_shorter_than_the_cutoff_and_has_the_positions_dtype(
    dtype: torch.dtype,
) -> None:
    pos = cloud(6, 7).to(dtype)
    pbc = torch.ones((1, 3), dtype=torch.bool)
    found = neighbor_list(pos, 3.0, cell=2 * torch.eye(3, dtype=dtype)[None], pbc=pbc)
    length = (pos[found.source] + found.shift - pos[found.target]).norm(dim=1)
    assert length.dtype == dtype
    assert float(length.max()) < 3.0 + 1e-5


def test_the_shift_carries_the_gradient_of_the_cell() -> None:
    cell = (2 * torch.eye(3)).requires_grad_()
    pbc = torch.ones((1, 3), dtype=torch.bool)
    found = neighbor_list(cloud(2, 0), 2.5, cell=cell[None], pbc=pbc)
    found.shift.square().sum().backward()
    assert cell.grad is not None
    assert float(cell.grad.abs().sum()) > 0


@pytest.mark.parametrize("ptr", [[0, 2], [1, 3], [0, 2, 1, 3]])
def test_a_ptr_that_does_not_cover_the_nodes_is_refused(ptr: list[int]) -> None:
    with pytest.raises(DataError, match="ptr"):
        neighbor_list(cloud(3, 0), 2.0, ptr=torch.tensor(ptr))


def test_positions_of_the_wrong_shape_are_refused() -> None:
    with pytest.raises(DataError, match=r"\[nodes, 3\]"):
        neighbor_list(torch.zeros((4, 2)), 2.0)
