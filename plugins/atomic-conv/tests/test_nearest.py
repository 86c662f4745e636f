"""Nearest neighbours: exact, with ties decided by element, then index."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch_geometric.data import Data

from intertwiner_atomic_conv.graphs import nearest as module
from intertwiner_atomic_conv.graphs.interface import CROSS, DISPLACED, Reach, interface_graph
from intertwiner_atomic_conv.graphs.nearest import nearest
from intertwiner_atomic_conv.layers.naive import neighbor_mask


def arrays(record: Data) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return record.pos.numpy(), record.z.numpy(), record.part.numpy()


def brute(x: np.ndarray, z: np.ndarray, atom: int, count: int, reach: float) -> list[int]:
    square = ((x - x[atom]) ** 2).sum(1)
    others = [j for j in range(len(x)) if j != atom and square[j] < reach**2]
    return sorted(others, key=lambda j: (square[j], z[j], j))[:count]


@pytest.fixture(params=["tree", "pairs"])
def search(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """With SciPy's tree, and without SciPy."""
    if request.param == "tree":
        pytest.importorskip("scipy")
    else:
        monkeypatch.setattr(module, "HAS_SCIPY", False)
    return request.param


@pytest.mark.parametrize("lattice", [False, True])
@pytest.mark.parametrize(("count", "reach"), [(1, 12.0), (12, 12.0), (12, 2.5), (500, 12.0)])
def test_lists_are_those_of_sorting_everything(
    make_complex: Callable[..., Data], search: str, count: int, reach: float, lattice: bool
) -> None:
    x, z, _ = arrays(make_complex(90, 8, lattice=lattice))
    every = np.arange(len(x))
    found = nearest(x, z, every, every, count, reach)
    for atom in every:
        expected = brute(x, z, atom, count, reach)
        assert found.atom[atom][: len(expected)].tolist() == expected
        assert (found.atom[atom][len(expected) :] == -1).all()


@given(seed=st.integers(0, 50), lattice=st.booleans(), count=st.sampled_from([1, 4, 12, 60]))
def test_merging_two_short_lists_gives_the_list_of_the_complex(
    make_complex: Callable[..., Data], seed: int, lattice: bool, count: int
) -> None:
    record = make_complex(60, 6, seed, lattice=lattice)
    x, z, part = arrays(record)
    graph = interface_graph(x, z, part, Reach("knn", count, 6.0))
    mask = neighbor_mask(record.pos, record.z, record.part, Reach("knn", count, 6.0)).numpy()
    foreign = part[:, None] != part[None]
    changed = np.flatnonzero((mask & foreign).any(1))
    assert sorted(graph.atom.tolist()) == changed.tolist()
    for node, atom in enumerate(graph.atom):
        mine = (graph.node == node) & (graph.kind != DISPLACED)
        assert sorted(graph.neighbor[mine].tolist()) == np.flatnonzero(mask[atom]).tolist()
        crossing = graph.neighbor[(graph.node == node) & (graph.kind == CROSS)]
        assert (part[crossing] != part[atom]).all()


def test_parts_out_of_reach_have_no_changed_atoms(make_complex: Callable[..., Data]) -> None:
    record = make_complex(60, 6)
    record.pos[record.part == 1] += 50.0
    for graph in ("knn", "cutoff", "cross"):
        assert len(interface_graph(*arrays(record), Reach(graph)).atom) == 0


def test_a_position_that_is_not_finite_names_the_atom(make_complex: Callable[..., Data]) -> None:
    record = make_complex(20, 3)
    record.pos[7, 1] = torch.nan
    with pytest.raises(ValueError, match="atom 7: position"):
        interface_graph(*arrays(record), Reach())
