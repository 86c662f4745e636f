"""`npz-molecules`: a user's own molecules with labels, from one npz file.

The file holds `n_atoms [molecules]`, `z [atoms]` and `pos [atoms, 3]` in angstrom, the atoms of
all molecules one after another, and labels whose keys end in their unit, any of

    energy_eV [molecules]        dipole_D [molecules, 3]      homo_eV, lumo_eV [molecules]
    forces_eV_A [atoms, 3]       charges_e [atoms]            polarizability_bohr3 [molecules, 6]

with or without `gfn2_` in front, the polarizability as (xx, xy, yy, xz, yz, zz)
or its diagonal alone. Labels that the file lacks are NaN. `name [molecules]` and
`split_random [molecules]` (0 train, 1 validation, 2 test) are used when there; else the split is
random, 80/10/10.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from intertwiner.data import Dataset
from intertwiner.data.dataset import PARTS
from intertwiner.data.splits import random_split
from intertwiner.errors import ConfigError, DataError
from intertwiner_atoms.config import NpzConfig
from intertwiner_atoms.datasets.npz import Arrays, read_npz, require
from intertwiner_atoms.molecules import Molecules, make_dataset
from intertwiner_atoms.tensors import irreps_from_six

__all__ = ["load", "molecules"]

Floats = NDArray[np.float64]
SHARES: Final = {"train": 0.8, "validation": 0.1, "test": 0.1}
SPLIT_SEED: Final = 0


def load(config: NpzConfig) -> Dataset:
    """The dataset in the file `config.path`.

    Raises `ConfigError` without a path or when a chosen target has no label at all, `DataError`
    when the file is not of the format above.
    """
    if not config.path:
        raise ConfigError("data.path: give the npz file of molecules")
    path = Path(config.path)
    arrays = read_npz(path)
    found = molecules(arrays, path)
    for name in config.targets:
        labels = {**found.node_labels, **found.graph_labels}
        if name in labels and np.isnan(labels[name]).all():
            raise ConfigError(f"data.targets: {path} has no label for {name!r}")
    return make_dataset(found, {"random": _split(arrays, len(found))}, config.targets)


def molecules(arrays: Arrays, path: Path) -> Molecules:
    """The molecules in `arrays`, which were read from `path`."""
    require(path, arrays, ("n_atoms", "z", "pos"))
    if not np.isfinite(arrays["pos"]).all():
        atom = int(np.argwhere(~np.isfinite(arrays["pos"]))[0, 0])
        raise DataError(f"{path}: pos of atom {atom} is {arrays['pos'][atom].tolist()}, not finite")
    count, atoms = len(arrays["n_atoms"]), len(arrays["z"])
    homo, lumo = (_label(arrays, path, f"{level}_eV", (count,)) for level in ("homo", "lumo"))
    mean, tensor = _polarizability(arrays, path, count)
    dipole = _label(arrays, path, "dipole_D", (count, 3))
    return Molecules(
        n_atoms=arrays["n_atoms"].astype(np.int64),
        z=arrays["z"].astype(np.int64),
        pos=arrays["pos"],
        names=[str(name) for name in arrays.get("name", np.arange(count)).tolist()],
        node_labels={
            "forces": _label(arrays, path, "forces_eV_A", (atoms, 3)),
            "charges": _label(arrays, path, "charges_e", (atoms,)),
        },
        graph_labels={
            "energy": _label(arrays, path, "energy_eV", (count,)),
            "dipole": dipole,
            "dipole_magnitude": np.linalg.norm(dipole, axis=1),
            "homo": homo,
            "lumo": lumo,
            "gap": lumo - homo,
            "polarizability_mean": mean,
            "polarizability": tensor,
        },
    )


def _polarizability(arrays: Arrays, path: Path, count: int) -> tuple[Floats, Floats]:
    """(mean [molecules], irreps [molecules, 6]); from a diagonal only the mean is known."""
    for key in ("polarizability_bohr3", "gfn2_polarizability_bohr3"):
        if key in arrays and arrays[key].shape == (count, 3):
            return arrays[key].mean(axis=1, dtype=np.float64), np.full((count, 6), np.nan)
    tensor = irreps_from_six(_label(arrays, path, "polarizability_bohr3", (count, 6)))
    return tensor[:, 0], tensor


def _label(arrays: Arrays, path: Path, name: str, shape: tuple[int, ...]) -> Floats:
    """The label called `name`, NaN where the file has none."""
    for key in (name, f"gfn2_{name}"):
        if key in arrays:
            found = arrays[key]
            if found.shape != shape:
                raise DataError(f"{path}: {key} is {list(found.shape)}, expected {list(shape)}")
            return found.astype(np.float64)
    return np.full(shape, np.nan)


def _split(arrays: Arrays, count: int) -> dict[str, NDArray[np.int64]]:
    part_of = arrays.get("split_random")
    if part_of is None:
        return random_split(count, SHARES, SPLIT_SEED)
    return {part: np.flatnonzero(part_of == code) for code, part in enumerate(PARTS)}
