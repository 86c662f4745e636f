"""`qm7`: 7,165 molecules with up to seven heavy atoms and their PBE0 atomization energies.

Blum and Reymond, J. Am. Chem. Soc. 131, 8732 (2009); Rupp et al., Phys. Rev. Lett. 108, 058301
(2012). The file's positions are in bohr and become angstrom here; energies are in kcal/mol as
published, negative, relative to free atoms. No digest of the file is documented, so its shapes
and the shortest distance in every molecule are checked.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from intertwiner.data import Dataset
from intertwiner.data.fetch import fetch
from intertwiner.errors import ConfigError, DataError
from intertwiner_atoms._plugin import QM7_SOURCE
from intertwiner_atoms.config import Qm7Config
from intertwiner_atoms.molecules import Molecules, make_dataset

__all__ = ["BOHR", "from_file", "load"]

BOHR: Final = 0.529177210903
"""Angstrom in a bohr (CODATA 2018)."""

BOND_RANGE: Final = (0.85, 1.6)
"""Angstrom between which the shortest distance of every organic molecule lies."""

SHAPES: Final = {"R": ("molecules", 23, 3), "Z": ("molecules", 23), "T": (1, "molecules")}


def load(config: Qm7Config) -> Dataset:
    """The dataset; the split "random" is one of the five published, stratified folds."""
    return from_file(config, fetch(QM7_SOURCE, "atoms/qm7"))


def from_file(config: Qm7Config, path: Path) -> Dataset:
    """As `load`, from a copy of `qm7.mat`.

    Raises `DataError` when the file is not that file.
    """
    arrays = _read(path)
    molecules = _molecules(path, arrays)
    splits = {"random": _folds(path, arrays["P"], config.fold, len(molecules))}
    return make_dataset(molecules, splits, config.targets)


def _read(path: Path) -> dict[str, Any]:
    import scipy.io

    try:
        arrays: dict[str, Any] = scipy.io.loadmat(path, variable_names=["R", "Z", "T", "P"])
    except (ValueError, OSError, NotImplementedError, TypeError) as error:
        raise DataError(f"{path}: not a MATLAB file: {error}; fetch it again") from error
    missing = [name for name in "RZTP" if name not in arrays]
    if missing:
        raise DataError(f"{path}: lacks {', '.join(missing)}: not qm7.mat")
    count = len(arrays["Z"])
    for name, shape in SHAPES.items():
        expected = tuple(count if size == "molecules" else size for size in shape)
        if arrays[name].shape != expected:
            raise DataError(f"{path}: {name} is {arrays[name].shape}, expected {expected}")
    return arrays


def _molecules(path: Path, arrays: dict[str, Any]) -> Molecules:
    filled = arrays["Z"] > 0
    sizes = filled.sum(axis=1)
    places = arrays["R"].astype(np.float64) * BOHR
    _check_distances(path, places, filled)
    return Molecules(
        n_atoms=sizes.astype(np.int64),
        z=arrays["Z"][filled].astype(np.int64),
        pos=places[filled],
        names=[f"qm7 {index}" for index in range(len(sizes))],
        graph_labels={"atomization_energy": arrays["T"][0].astype(np.float64)},
    )


def _check_distances(path: Path, places: NDArray[np.float64], filled: NDArray[np.bool_]) -> None:
    """Raises `DataError` unless every molecule's shortest distance is that of a bond."""
    for index, (molecule, there) in enumerate(zip(places, filled, strict=True)):
        pos = molecule[there]
        distance = np.linalg.norm(pos[:, None] - pos[None], axis=-1) + 99 * np.eye(len(pos))
        shortest = float(distance.min(initial=99.0))
        if not BOND_RANGE[0] < shortest < BOND_RANGE[1]:
            raise DataError(
                f"{path}: the shortest distance in molecule {index} is {shortest:.3f} angstrom, "
                f"not between {BOND_RANGE[0]} and {BOND_RANGE[1]}: positions are not in bohr"
            )


def _folds(path: Path, folds: NDArray[Any], fold: int, count: int) -> dict[str, NDArray[np.int64]]:
    numbers = [np.sort(row.astype(np.int64)) for row in folds]
    if fold >= len(numbers):
        raise ConfigError(f"data.fold: {fold} is not among 0 to {len(numbers) - 1}")
    if not np.array_equal(np.sort(np.concatenate(numbers)), np.arange(count)):
        raise DataError(f"{path}: the folds P do not hold each of {count} molecules once")
    validation = (fold + 1) % len(numbers)
    rest = [row for index, row in enumerate(numbers) if index not in (fold, validation)]
    return {
        "train": np.sort(np.concatenate(rest)),
        "validation": numbers[validation],
        "test": numbers[fold],
    }
