"""`qm9`: 133,885 molecules with up to nine heavy atoms at B3LYP/6-31G(2df,p).

Ramakrishnan, Dral, Rupp and von Lilienfeld, Sci. Data 1, 140022 (2014). Of these, 3,054 failed a
consistency check and are left out unless asked for: 130,831 remain. Hartrees become eV; from U0,
U, H and G the free atoms' values of the dataset's own `atomref.txt` are subtracted unless
`atom_reference` is false.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from intertwiner.atomic import write_atomically
from intertwiner.data import Dataset
from intertwiner.data.archive import members
from intertwiner.data.fetch import fetch
from intertwiner.data.splits import random_split
from intertwiner.errors import DataError
from intertwiner_atoms._plugin import QM9_SOURCES
from intertwiner_atoms.config import Qm9Config
from intertwiner_atoms.datasets.npz import Arrays, npz_bytes, read_npz, require
from intertwiner_atoms.datasets.qm9_text import (
    COLUMNS,
    HARTREE,
    Qm9Molecule,
    parse_molecule,
    read_references,
    read_uncharacterized,
)
from intertwiner_atoms.molecules import Molecules, make_dataset

__all__ = ["Qm9Files", "from_files", "load"]

_log = logging.getLogger(__name__)
SHARES: Final = {"train": 0.85, "validation": 0.05, "test": 0.10}
SPLIT_SEED: Final = 0
IN_HARTREE: Final = ("homo", "lumo", "gap", "zpve", "U0", "U", "H", "G")
_KEYS: Final = ("index", "n_atoms", "z", "pos", "charges", "values")


@dataclass(frozen=True, slots=True)
class Qm9Files:
    """The three official files."""

    archive: Path
    uncharacterized: Path
    references: Path


def load(config: Qm9Config) -> Dataset:
    """The dataset; the split "random" is 85/5/10 with a fixed seed."""
    return from_files(config, Qm9Files(*(fetch(source, "atoms/qm9") for source in QM9_SOURCES)))


def from_files(config: Qm9Config, files: Qm9Files) -> Dataset:
    """As `load`, from local copies. The parsed archive is kept beside it for the next time."""
    arrays = _parsed(files.archive)
    total = len(arrays["index"])
    if config.uncharacterized == "drop":
        arrays = _without(arrays, read_uncharacterized(files.uncharacterized))
    left = len(arrays["index"])
    _log.info("qm9: %s molecules, %s used", f"{total:,}", f"{left:,}")
    molecules = _molecules(arrays, files.references if config.atom_reference else None)
    splits = {"random": random_split(left, SHARES, SPLIT_SEED)}
    return make_dataset(molecules, splits, config.targets)


def _parsed(archive: Path) -> Arrays:
    kept = archive.with_name(f"{archive.name}.{archive.stat().st_size}.parsed1.npz")
    if kept.exists():
        arrays = read_npz(kept)
        require(kept, arrays, _KEYS)
        return arrays
    _log.warning("qm9: parsing %s once; this takes a minute or two", archive)
    found = [
        parse_molecule(member.read().decode("utf-8", errors="replace"), f"{archive}, {member.name}")
        for member in members(archive)
        if member.name.endswith(".xyz")
    ]
    if not found:
        raise DataError(f"{archive}: holds no .xyz file")
    arrays = _stacked(sorted(found, key=lambda molecule: molecule.index))
    write_atomically(kept, [npz_bytes(arrays)], setting="INTERTWINER_DATA")
    return arrays


def _stacked(molecules: Sequence[Qm9Molecule]) -> Arrays:
    return {
        "index": np.array([molecule.index for molecule in molecules], dtype=np.int64),
        "n_atoms": np.array([len(molecule.z) for molecule in molecules], dtype=np.int64),
        "z": np.concatenate([molecule.z for molecule in molecules]).astype(np.uint8),
        "pos": np.concatenate([molecule.pos for molecule in molecules]),
        "charges": np.concatenate([molecule.charges for molecule in molecules]),
        "values": np.stack([molecule.values for molecule in molecules]),
    }


def _without(arrays: Arrays, dropped: frozenset[int]) -> Arrays:
    keep = ~np.isin(arrays["index"], list(dropped))
    atoms = np.repeat(keep, arrays["n_atoms"])
    per_atom = ("z", "pos", "charges")
    return {key: value[atoms if key in per_atom else keep] for key, value in arrays.items()}


def _molecules(arrays: Arrays, references: Path | None) -> Molecules:
    columns = dict(zip(COLUMNS, arrays["values"].T, strict=True))
    labels = {
        name: column * HARTREE if name in IN_HARTREE else column
        for name, column in columns.items()
        if name not in ("A", "B", "C")
    }
    if references is not None:
        for name, atoms in read_references(references).items():
            labels[name] = labels[name] - _free_atoms(arrays, atoms, references)
    return Molecules(
        n_atoms=arrays["n_atoms"],
        z=arrays["z"].astype(np.int64),
        pos=arrays["pos"],
        names=[f"gdb {index}" for index in arrays["index"].tolist()],
        node_labels={"charges": arrays["charges"]},
        graph_labels=labels,
    )


def _free_atoms(arrays: Arrays, values: dict[int, float], path: Path) -> NDArray[np.float64]:
    """Sum of the free atoms' values in every molecule [molecules]."""
    table = np.full(256, np.nan)
    table[list(values)] = list(values.values())
    per_atom = table[arrays["z"]]
    if np.isnan(per_atom).any():
        missing = sorted(set(arrays["z"].tolist()) - set(values))
        raise DataError(f"{path}: no reference for elements {missing}")
    molecule = np.repeat(np.arange(len(arrays["n_atoms"])), arrays["n_atoms"])
    sums = np.zeros(len(arrays["n_atoms"]))
    np.add.at(sums, molecule, per_atom)
    return sums
