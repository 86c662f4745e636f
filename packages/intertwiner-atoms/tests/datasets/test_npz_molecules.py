from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from intertwiner.errors import ConfigError, DataError
from intertwiner_atoms.config import NpzConfig
from intertwiner_atoms.datasets import npz_molecules
from intertwiner_atoms.datasets.npz import npz_bytes


def two(**changes: Any) -> dict[str, Any]:
    arrays: dict[str, Any] = {
        "n_atoms": np.array([2, 1]),
        "z": np.array([1, 8, 6]),
        "pos": np.arange(9.0).reshape(3, 3),
        "energy_eV": np.array([-1.0, -2.0]),
        "gfn2_dipole_D": np.ones((2, 3)),
    }
    return {key: value for key, value in (arrays | changes).items() if value is not None}


@pytest.fixture
def load(tmp_path: Path) -> Any:
    def load_arrays(arrays: dict[str, Any], **config: Any) -> Any:
        path = tmp_path / "own.npz"
        path.write_bytes(npz_bytes(arrays))
        return npz_molecules.load(NpzConfig(path=str(path), **config))

    return load_arrays


def test_labels_are_found_under_either_name_and_missing_ones_are_nan(load: Any) -> None:
    record = load(two())[0]
    assert record.energy.tolist() == [-1.0]
    assert record.dipole.tolist() == [[1, 1, 1]]
    assert record.dipole_magnitude.tolist() == pytest.approx([3**0.5])
    assert torch.isnan(record.forces).all()
    assert torch.isnan(record.polarizability).all()


def test_from_a_diagonal_only_the_mean_polarizability_is_known(load: Any) -> None:
    record = load(two(gfn2_polarizability_bohr3=np.array([[1.0, 2, 3], [4, 5, 6]])))[1]
    assert record.polarizability_mean.tolist() == [5.0]
    assert torch.isnan(record.polarizability).all()


def test_names_and_split_of_the_file_are_used(load: Any) -> None:
    arrays = two(name=np.array(["a", "b"]), split_random=np.array([2, 0], dtype=np.uint8))
    dataset = load(arrays)
    assert dataset[0].name == "a"
    assert dataset.splits["random"]["test"].tolist() == [0]
    assert dataset.splits["random"]["train"].tolist() == [1]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"pos": None}, "lacks pos"),
        ({"pos": np.full((3, 3), np.nan)}, "pos of atom 0 is .*not finite"),
        ({"z": np.array([1, 8])}, "'z' has 2 rows for 3 atoms"),
        ({"energy_eV": np.zeros(5)}, r"energy_eV is \[5\], expected \[2\]"),
    ],
)
def test_arrays_that_cannot_be_are_named(load: Any, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(DataError, match=words):
        load(two(**changes))


def test_a_target_without_any_label_is_refused_and_a_path_is_needed(load: Any) -> None:
    with pytest.raises(ConfigError, match="has no label for 'homo'"):
        load(two(), targets=("homo",))
    with pytest.raises(ConfigError, match=r"data\.path"):
        npz_molecules.load(NpzConfig())


def test_the_shared_qm7_labels_are_read(shared_data: Path) -> None:
    path = shared_data / "gfn2" / "qm7_gfn2.npz"
    dataset = npz_molecules.load(NpzConfig(path=str(path)))
    assert len(dataset) == 7101
    assert dataset.species == (1, 6, 7, 8, 16)
    lengths = [float(dataset[index].dipole.norm()) for index in range(0, 7101, 50)]
    assert 1.0 < np.mean(lengths) < 3.0
    assert torch.isnan(dataset[0].polarizability_mean).all()
