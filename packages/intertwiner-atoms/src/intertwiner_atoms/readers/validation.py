"""The layer every reader passes its atoms through: what leaves it can be computed with.

Each atom has a known element and a finite position of its own; what was dropped or changed on the
way is counted in the report.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float
from numpy.typing import NDArray
from torch_geometric.data import Data

from intertwiner.errors import DataError
from intertwiner_atoms.config import ReadConfig
from intertwiner_atoms.elements import METALS, atomic_number, is_dummy, is_heavy_hydrogen
from intertwiner_atoms.readers.report import ReadReport

__all__ = ["RawAtoms", "validated"]

DECIMALS = 3
"""Atoms whose positions agree to so many decimals (angstrom) are in one place."""


@dataclass
class RawAtoms:
    """One record as a reader found it.

    where: its place in the file, such as "frame 3", for messages; empty when there is one.
    tokens: what the file says each atom's element is. labels: how to call each atom in messages.
    cell: [3, 3] vectors in angstrom as rows, with pbc: [3] which of them repeat.
    """

    file: Path
    name: str
    where: str
    tokens: Sequence[str]
    labels: Sequence[str]
    pos: Float[NDArray[np.float64], "atoms 3"]
    cell: Float[NDArray[np.float64], "3 3"] | None = None
    pbc: Bool[NDArray[np.bool_], " 3"] | None = None

    @property
    def place(self) -> str:
        return f"{self.file}, {self.where}" if self.where else str(self.file)


def validated(raw: RawAtoms, config: ReadConfig, report: ReadReport) -> Data:
    """The record of `raw`: pos [atoms, 3] float32 in angstrom, z [atoms], name.

    Raises `DataError` naming file, atom, value and remedy for an element that is unknown, a
    position that is not finite, two atoms in one place, and a record without atoms.
    """
    z, kept = _elements(raw, config, report)
    positions = raw.pos[kept]
    _check_finite(raw, kept)
    if len(kept) == 0:
        raise DataError(f"{raw.place}: no atoms{_because(report)}")
    if config.coincident == "stop":
        _check_apart(raw, kept)
    report.records += 1
    report.atoms += len(kept)
    record = Data(
        pos=torch.from_numpy(positions.astype(np.float32)), z=torch.from_numpy(z), name=raw.name
    )
    if raw.cell is not None and raw.pbc is not None:
        record.cell = torch.from_numpy(raw.cell.astype(np.float32))[None]
        record.pbc = torch.from_numpy(raw.pbc)[None]
    return record


def _because(report: ReadReport) -> str:
    dropped = [f"{what}: {times}" for what, times in report.counts.items() if "dropped" in what]
    return f" are left: {', '.join(dropped)}" if dropped else ""


def _elements(
    raw: RawAtoms, config: ReadConfig, report: ReadReport
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(atomic numbers, which atoms of `raw`) of what is kept."""
    z, kept = [], []
    for index, token in enumerate(raw.tokens):
        number = _number(raw, index, config)
        if number is None:
            report.count("dummy atoms dropped")
            continue
        report.count("deuterium or tritium read as hydrogen", is_heavy_hydrogen(token))
        if number in METALS:
            report.count(f"metal atoms {'dropped' if config.metals == 'drop' else 'kept'}")
            if config.metals == "drop":
                continue
        if number == 1 and config.hydrogens == "drop":
            report.count("hydrogens dropped")
            continue
        z.append(number)
        kept.append(index)
    return np.array(z, dtype=np.int64), np.array(kept, dtype=np.int64)


def _number(raw: RawAtoms, index: int, config: ReadConfig) -> int | None:
    """The atomic number of one atom; None for a dummy that is to be dropped."""
    token = raw.tokens[index].strip()
    number = atomic_number(token)
    if number is not None and not is_dummy(token):
        return number
    if not is_dummy(token):
        raise DataError(
            f"{raw.place}, {raw.labels[index]}: unknown element {token!r}; write its symbol"
        )
    if config.dummies == "stop":
        raise DataError(
            f"{raw.place}, {raw.labels[index]}: {token!r} is no element; set dummies=drop to "
            "leave such sites out"
        )
    return None


def _check_finite(raw: RawAtoms, kept: NDArray[np.int64]) -> None:
    wrong = kept[~np.isfinite(raw.pos[kept]).all(axis=1)]
    if len(wrong):
        seen = raw.pos[wrong[0]].tolist()
        raise DataError(
            f"{raw.place}, {raw.labels[wrong[0]]}: position {seen} is not finite; correct the file"
        )


def _check_apart(raw: RawAtoms, kept: NDArray[np.int64]) -> None:
    rounded = np.round(raw.pos[kept], DECIMALS) + 0.0
    _, place, times = np.unique(rounded, axis=0, return_inverse=True, return_counts=True)
    if (times > 1).any():
        shared = kept[place.reshape(-1) == int(np.argmax(times > 1))]
        first, second = (raw.labels[index] for index in shared[:2])
        raise DataError(
            f"{raw.place}: {first} and {second} are in the same place, "
            f"{raw.pos[shared[0]].tolist()}; remove one, or set coincident=keep"
        )
