"""The stand-ins have the schema of the real thing, at once, and labels that turn with it."""

from __future__ import annotations

import importlib
import time

import numpy as np
import pytest
import torch

from intertwiner.data import Dataset
from intertwiner.specs import DatasetSpec, load_target
from intertwiner_atoms import _plugin
from intertwiner_atoms.datasets import synthetic

SPECS = list(_plugin.intertwiner_datasets())


@pytest.fixture(params=SPECS, ids=lambda spec: spec.name)
def spec(request: pytest.FixtureRequest) -> DatasetSpec:
    return request.param


def made(spec: DatasetSpec, count: int = 20, seed: int = 0) -> Dataset:
    dataset = load_target(spec.synthetic)(count, seed)
    assert isinstance(dataset, Dataset)
    return dataset


def test_every_declared_field_is_there_with_its_shape(spec: DatasetSpec) -> None:
    for record in made(spec):
        for field in (*spec.provides, *spec.targets):
            rows = len(record.z) if field.site == "node" else 1
            shape = (rows,) if field.rep.width == 1 else (rows, field.rep.width)
            assert record[field.name].shape == shape, field.name
            assert torch.isfinite(record[field.name].double()).all()


def test_the_splits_are_the_declared_ones_and_whole(spec: DatasetSpec) -> None:
    dataset = made(spec, 50)
    assert set(dataset.splits) == set(spec.splits)
    for split in dataset.splits.values():
        numbers = np.concatenate(list(split.values()))
        assert sorted(numbers.tolist()) == list(range(50))
        assert all(len(part) for part in split.values())


def test_a_seed_gives_the_same_molecules_and_another_others(spec: DatasetSpec) -> None:
    first, again, other = made(spec), made(spec), made(spec, seed=1)
    assert all(torch.equal(a.pos, b.pos) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0].pos, other[0].pos)


def test_no_two_atoms_are_near_each_other(spec: DatasetSpec) -> None:
    for record in made(spec, 50):
        distance = torch.cdist(record.pos, record.pos) + 9 * torch.eye(len(record.z))
        assert float(distance.min()) > 0.9


def test_a_thousand_take_less_than_two_seconds(spec: DatasetSpec) -> None:
    start = time.process_time()
    made(spec, 1000)
    print(f"{spec.name}: {time.process_time() - start:.2f} s")  # noqa: T201


def test_the_target_and_config_of_every_dataset_can_be_imported(spec: DatasetSpec) -> None:
    assert callable(load_target(spec.target))
    assert load_target(spec.config)() is not None
    importlib.import_module(spec.target.partition(":")[0])


def test_forces_are_minus_the_gradient_of_the_energy() -> None:
    z, pos = np.array([6, 1, 8]), np.array([[0, 0, 0], [1.1, 0.2, 0], [-0.3, 1.0, 0.7]])
    forces, step = synthetic._labels(z, pos)["forces"], 1e-5
    for place in np.ndindex(3, 3):
        ahead, behind = pos.copy(), pos.copy()
        ahead[place] += step
        behind[place] -= step
        rise = synthetic._labels(z, ahead)["energy"] - synthetic._labels(z, behind)["energy"]
        assert forces[place] == pytest.approx(-rise / (2 * step), abs=1e-7)


def test_charges_sum_to_zero_so_the_dipole_ignores_a_shift() -> None:
    z, pos = np.array([6, 1, 8]), np.eye(3)
    here, there = synthetic._labels(z, pos), synthetic._labels(z, pos + 5.0)
    assert abs(here["charges"].sum()) < 1e-12
    assert np.allclose(here["dipole"], there["dipole"])
