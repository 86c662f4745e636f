"""Sums over molecules, elements, and pairs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from intertwiner_equivariant_conv.errors import InvalidSetting
from intertwiner_equivariant_conv.layers.atoms import Atoms, Elements, find_pairs


def test_sums_and_counts_of_molecules_with_and_without_atoms() -> None:
    atoms = Atoms(torch.arange(9.0).view(3, 3), torch.tensor([0, 1, 1]), torch.tensor([0, 0, 2]), 3)
    assert atoms.counts.tolist() == [2, 0, 1]
    assert atoms.sum(torch.tensor([1.0, 2.0, 4.0])).tolist() == [3, 0, 4]
    assert atoms.composition(2).tolist() == [[1, 1], [0, 0], [0, 1]]
    assert atoms.centred().tolist() == [[-1.5] * 3, [1.5] * 3, [0.0] * 3]


def test_elements_are_numbered_as_listed() -> None:
    elements = Elements((1, 6, 8))
    assert elements(torch.tensor([8, 1, 6])).tolist() == [2, 0, 1]
    assert len(elements) == 3


@pytest.mark.parametrize("species", [(), (0, 1), (1, 1)])
def test_a_list_of_elements_that_cannot_be_is_refused(species: tuple[int, ...]) -> None:
    with pytest.raises(InvalidSetting, match="atomic numbers, each once"):
        Elements(species)


def test_pairs_point_from_target_to_source(make_batch: Callable[..., Any]) -> None:
    batch = make_batch(7, 9)
    pairs = find_pairs(batch, batch.pos, 3.0)
    assert len(pairs.source) > 10
    found = batch.pos[pairs.target] + pairs.direction * pairs.distance[:, None]
    torch.testing.assert_close(found, batch.pos[pairs.source])
    assert bool((batch.batch[pairs.source] == batch.batch[pairs.target]).all())
    assert bool((pairs.target.diff() >= 0).all())
