"""CATH sets of the right form: folds, labels, volumes, and what does not fit."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from intertwiner.errors import ConfigError
from intertwiner_steerable3d.data.cath import load, made_up_arrays
from intertwiner_steerable3d.data.config import CathData
from intertwiner_steerable3d.errors import InvalidInput


def write(folder, classes=10, **changes):
    path = folder / "cath_10arch_ca.npz"
    np.savez(path, **(made_up_arrays(40, 0, classes) | changes))
    return str(path)


def test_folds_and_classes_are_those_of_the_file(tmp_path):
    dataset = load(CathData(path=write(tmp_path), side=25, step=4.0, sigma=4.0))
    sizes = {name: len(part) for name, part in dataset.splits["folds"].items()}
    assert sizes == {"train": 28, "validation": 4, "test": 8}
    record = dataset[3]
    assert int(record.architecture) == 3
    assert int(record.topology) == -100


def test_every_atom_inside_counts_one(tmp_path):
    dataset = load(CathData(path=write(tmp_path), side=33, step=4.0, sigma=4.0))
    atoms = made_up_arrays(40, 0)["n_atoms"]
    for index in (0, 7):
        assert float(dataset[index].volume.sum()) == pytest.approx(int(atoms[index]), abs=1e-2)


def test_turned_domains_keep_their_mass_and_are_other_volumes(tmp_path):
    path = write(tmp_path)
    plain, turned = (
        load(CathData(path=path, side=33, step=4.0, sigma=4.0, rotate=rotate))[5].volume
        for rotate in (False, True)
    )
    assert float(plain.sum()) == pytest.approx(float(turned.sum()), abs=1e-2)
    assert not torch.allclose(plain, turned, atol=1e-2)


def test_a_set_of_three_classes_has_another_target(tmp_path):
    path = write(tmp_path, classes=3)
    settings = {"path": path, "side": 9, "step": 8.0, "sigma": 8.0}
    assert "fold_class" in load(CathData(**settings, targets=("fold_class",)))[0]
    with pytest.raises(ConfigError, match=r"give --data\.targets fold_class"):
        load(CathData(**settings, targets=("architecture",)))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"positions": np.zeros((40, 40))}, "positions"),
        ({"labels": np.zeros((39, 2))}, "39 labels for 40 domains"),
        ({"n_atoms": np.full(40, 99)}, "n_atoms must be from 1 to 40"),
        ({"split_start_indices": np.arange(3)}, "3 folds"),
        ({"split_start_indices": np.arange(10)[::-1]}, "must rise"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(tmp_path, changes, message):
    with pytest.raises(InvalidInput, match=message):
        load(CathData(path=write(tmp_path, **changes)))
