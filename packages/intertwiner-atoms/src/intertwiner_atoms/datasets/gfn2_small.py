"""`gfn2-small`: 4,184 molecules of H, C, N, O and F with GFN2-xTB labels, embedded.

Each molecule is there twice: relaxed, with all labels, and displaced at random, where energy,
forces and dipole are known and the other labels are NaN. Both are always on the same side of a
split. `scripts/gfn2_small` makes the file; it is not QM9.
"""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from intertwiner.data import Dataset
from intertwiner.data.dataset import PARTS
from intertwiner_atoms.config import Gfn2SmallConfig
from intertwiner_atoms.datasets.npz import Arrays, read_npz, require
from intertwiner_atoms.molecules import Molecules, make_dataset
from intertwiner_atoms.tensors import irreps_from_six

__all__ = ["SHA256", "embedded_file", "load", "provenance"]

SHA256: Final = "b7b6d9efd920e223411eb43fbae58433268c863c0dee5ecbf67c898653fd8630"
SCHEMES: Final = ("random", "formula", "size")
_GEOMETRY_KEYS: Final = ("positions_0p0005A", "energy_eV", "forces_meV_A", "dipole_D")
_KEYS: Final = (
    *("smiles", "n_atoms", "z", "charges_0p0001e", "homo_eV", "lumo_eV", "polarizability_bohr3"),
    *_GEOMETRY_KEYS,
    *(f"displaced_{key}" for key in _GEOMETRY_KEYS),
    *(f"split_{scheme}" for scheme in SCHEMES),
)


def embedded_file() -> Path:
    """Where the installed file lies."""
    return Path(str(files("intertwiner_atoms") / "data" / "gfn2_small.npz"))


def load(config: Gfn2SmallConfig) -> Dataset:
    """The dataset; splits "random", "formula" (isomers stay together), "size" (test: 7 heavy)."""
    return from_file(config, embedded_file(), SHA256)


def provenance(path: Path | None = None) -> dict[str, Any]:
    """How the file was made: recipe, versions, units, filters and what was left out."""
    arrays = read_npz(path or embedded_file())
    require(path or embedded_file(), arrays, ("meta",))
    found: dict[str, Any] = json.loads(arrays["meta"].tobytes())
    return found


def from_file(config: Gfn2SmallConfig, path: Path, sha256: str | None = None) -> Dataset:
    """As `load`, from another file of the same format."""
    arrays = read_npz(path, sha256)
    require(path, arrays, _KEYS)
    count = len(arrays["n_atoms"])
    offsets = [0, count] if config.geometry == "both" else [0]
    splits = {name: _split(arrays[f"split_{name}"], offsets) for name in SCHEMES}
    return make_dataset(_geometries(arrays, config.geometry), splits, config.targets)


def _geometries(arrays: Arrays, geometry: str) -> Molecules:
    if geometry == "equilibrium":
        return equilibrium(arrays)
    if geometry == "displaced":
        return displaced(arrays)
    return Molecules.joined([equilibrium(arrays), displaced(arrays)])


def equilibrium(arrays: Arrays) -> Molecules:
    """The relaxed molecules with all labels."""
    homo, lumo = (arrays[f"{level}_eV"].astype(np.float64) for level in ("homo", "lumo"))
    tensor = irreps_from_six(arrays["polarizability_bohr3"])
    return _molecules(
        arrays,
        "",
        {"charges": arrays["charges_0p0001e"] * 1e-4},
        {
            "homo": homo,
            "lumo": lumo,
            "gap": lumo - homo,
            "polarizability_mean": tensor[:, 0],
            "polarizability": tensor,
        },
    )


def displaced(arrays: Arrays) -> Molecules:
    """The displaced molecules; labels only known for relaxed ones are NaN."""
    atoms, count = len(arrays["z"]), len(arrays["n_atoms"])
    scalars = ("homo", "lumo", "gap", "polarizability_mean")
    return _molecules(
        arrays,
        "displaced_",
        {"charges": np.full(atoms, np.nan)},
        {name: np.full(count, np.nan) for name in scalars}
        | {"polarizability": np.full((count, 6), np.nan)},
    )


def _molecules(
    arrays: Arrays,
    prefix: str,
    node_labels: dict[str, NDArray[np.float64]],
    graph_labels: dict[str, NDArray[np.float64]],
) -> Molecules:
    suffix = " displaced" if prefix else ""
    dipole = arrays[f"{prefix}dipole_D"]
    return Molecules(
        n_atoms=arrays["n_atoms"].astype(np.int64),
        z=arrays["z"].astype(np.int64),
        pos=arrays[f"{prefix}positions_0p0005A"] * 0.0005,
        names=[text.decode() + suffix for text in arrays["smiles"].tolist()],
        node_labels={"forces": arrays[f"{prefix}forces_meV_A"] * 1e-3, **node_labels},
        graph_labels={
            "energy": arrays[f"{prefix}energy_eV"],
            "dipole": dipole,
            "dipole_magnitude": np.linalg.norm(dipole.astype(np.float64), axis=1),
            **graph_labels,
        },
    )


def _split(part_of: NDArray[np.uint8], offsets: list[int]) -> dict[str, NDArray[np.int64]]:
    """part -> record numbers; with two offsets a molecule's two geometries follow each other."""
    numbers = {name: np.flatnonzero(part_of == code) for code, name in enumerate(PARTS)}
    return {
        name: (chosen[:, None] + np.array(offsets)).ravel().astype(np.int64)
        for name, chosen in numbers.items()
    }
