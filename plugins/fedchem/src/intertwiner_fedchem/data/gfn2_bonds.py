"""`gfn2-bonds`: the molecules of `gfn2-small` as graphs of bonds, embedded; no RDKit is needed.

`scripts/make_gfn2_bonds.py` makes the file from the dataset `atoms/gfn2-small`: codes of atoms and
bonds from the SMILES, scaffolds, orbital gap (eV) and length of the dipole (debye).
"""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import numpy as np

from intertwiner.data import Dataset
from intertwiner.errors import DataError
from intertwiner_fedchem.config import BondsConfig
from intertwiner_fedchem.data.graph import Graph
from intertwiner_fedchem.data.molecules import Molecules, make_dataset
from intertwiner_fedchem.data.synthetic import synthetic_dataset
from intertwiner_fedchem.declarations.datasets import GFN2_TARGETS

__all__ = ["embedded_file", "load", "pack", "synthetic", "unpack"]

SEPARATOR: Final = "\n"


def embedded_file() -> Path:
    """Where the installed file lies."""
    return Path(str(files("intertwiner_fedchem") / "data" / "gfn2_bonds.npz"))


def load(config: BondsConfig) -> Dataset:
    """The dataset; every row is another molecule."""
    return make_dataset(_embedded(), GFN2_TARGETS, config.targets, config.seed)


def synthetic(count: int, seed: int) -> Dataset:
    """Made-up molecules with the same targets."""
    return synthetic_dataset(GFN2_TARGETS, count, seed)


@lru_cache(maxsize=1)
def _embedded() -> Molecules:
    return unpack(embedded_file())


def pack(path: Path, molecules: Molecules) -> None:
    """Writes molecules in small numbers: bonds once, codes as places in a list of distinct ones."""
    atoms = np.concatenate([graph.atom_code for graph in molecules.graphs])
    kinds, kind = np.unique(atoms, return_inverse=True)
    labels = {name: values.astype(np.float32) for name, values in molecules.labels.items()}
    arrays: dict[str, Any] = {
        "atoms": np.array([len(graph.atom_code) for graph in molecules.graphs], dtype=np.uint8),
        "bonds": np.array([len(graph.ends) // 2 for graph in molecules.graphs], dtype=np.uint8),
        "kinds": kinds,
        "kind": kind.astype(np.uint16),
        "ends": np.concatenate([graph.ends[::2] for graph in molecules.graphs]).astype(np.uint8),
        "bond_code": np.concatenate([g.bond_code[::2] for g in molecules.graphs]).astype(np.uint8),
        "scaffold": molecules.scaffold.astype(np.uint16),
        "coarse_scaffold": molecules.coarse_scaffold.astype(np.uint16),
        "names": np.frombuffer(SEPARATOR.join(molecules.names).encode(), dtype=np.uint8),
    }
    np.savez_compressed(path, **(arrays | labels))


def unpack(path: Path) -> Molecules:
    """What `pack` wrote. Raises `DataError` for another file; nothing in it is executed."""
    try:
        with np.load(path, allow_pickle=False) as file:
            stored = {name: file[name] for name in file.files}
        names = stored["names"].tobytes().decode().split(SEPARATOR)
        codes = np.split(stored["kinds"][stored["kind"]], np.cumsum(stored["atoms"])[:-1])
        cuts = np.cumsum(stored["bonds"])[:-1]
        one_way = np.split(stored["ends"].astype(np.int64), cuts)
        bonds = np.split(stored["bond_code"].astype(np.int64), cuts)
        labels = {field.name: stored[field.name].astype(np.float64) for field in GFN2_TARGETS}
        scaffold = stored["scaffold"].astype(np.int64)
        coarse_scaffold = stored["coarse_scaffold"].astype(np.int64)
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"{path}: cannot be read: {error}; install the plugin again") from error
    graphs = [
        Graph(code, np.stack([ends, ends[:, ::-1]], 1).reshape(-1, 2), np.repeat(bond, 2))
        for code, ends, bond in zip(codes, one_way, bonds, strict=True)
    ]
    return Molecules(graphs, names, scaffold, coarse_scaffold, np.arange(len(names)), labels)
