"""Molecules of one size: which are taken, in which part, and what is refused."""

from __future__ import annotations

import pytest
import torch

from intertwiner.errors import ConfigError
from intertwiner_enflow.datasets import same_size
from intertwiner_enflow.datasets.config import SameSizeConfig

pytest.importorskip("intertwiner_atoms")


def test_all_records_have_the_size_and_keep_their_part() -> None:
    dataset = same_size.load(SameSizeConfig(atoms=15))
    assert {int(record.num_nodes) for record in dataset} == {15}
    assert sum(len(dataset.part(part)) for part in ("train", "validation", "test")) == len(dataset)
    assert float(dataset[0].pos.mean(dim=0).abs().max()) < 1e-5
    assert set(dataset[0].keys()) == {"pos", "z", "name", "num_nodes"}


def test_a_size_that_does_not_occur_is_refused_with_those_that_do() -> None:
    with pytest.raises(ConfigError, match=r"data\.atoms=99: atoms/gfn2-small .*frequent: \d+"):
        same_size.load(SameSizeConfig(atoms=99))


def test_a_dataset_that_is_not_installed_is_named() -> None:
    with pytest.raises(ConfigError, match=r"data\.of: .*nothing"):
        same_size.load(SameSizeConfig(of="atoms/nothing"))


def test_the_stand_in_depends_on_its_seed() -> None:
    one, same, other = (same_size.synthetic(6, seed) for seed in (0, 0, 1))
    assert torch.equal(one[5].pos, same[5].pos)
    assert not torch.equal(one[5].pos, other[5].pos)
    assert int(one[0].num_nodes) == 15
