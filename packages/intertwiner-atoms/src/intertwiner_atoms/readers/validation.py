"""The layer every reader passes its atoms through: what leaves it can be computed with.

Each atom has a known element and a finite position of its own; what was dropped or changed on the
way is counted in the report.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from jaxtyping import Int
from numpy.typing import NDArray

from intertwiner.errors import DataError
from intertwiner_atoms.config import ReadConfig
from intertwiner_atoms.elements import METALS, atomic_number, is_dummy, is_heavy_hydrogen
from intertwiner_atoms.readers.raw_atoms import Atoms, RawAtoms
from intertwiner_atoms.readers.report import ReadReport
from intertwiner_atoms.readers.text import shown

__all__ = ["checked"]

DECIMALS: Final = 3
"""Atoms whose positions agree to so many decimals (angstrom) are in one place."""

FARTHEST: Final = 1e6
"""Angstrom; float32 then still tells tenths apart."""


def checked(raw: RawAtoms, config: ReadConfig, report: ReadReport) -> Atoms:
    """What policy keeps of `raw`, once it has passed all checks.

    Raises `DataError` naming file, atom, value and remedy for an element that is unknown, a
    position that is not finite, two atoms in one place, and a record without atoms.
    """
    z, kept = _elements(raw, config, report)
    _check_finite(raw, kept)
    if len(kept) == 0:
        raise DataError(f"{raw.place}: no atoms{_because(report)}")
    if config.coincident == "stop":
        _check_apart(raw, kept)
    report.records += 1
    report.atoms += len(kept)
    return Atoms(raw, z, kept)


def _because(report: ReadReport) -> str:
    dropped = [f"{what}: {times}" for what, times in report.counts.items() if "dropped" in what]
    return f" are left: {', '.join(dropped)}" if dropped else ""


def _elements(
    raw: RawAtoms, config: ReadConfig, report: ReadReport
) -> tuple[Int[NDArray[np.int64], " kept"], Int[NDArray[np.int64], " kept"]]:
    """(atomic numbers, which atoms of `raw`) of what is kept."""
    tokens, kind = _kinds(raw)
    times = np.bincount(kind, minlength=len(tokens)).tolist()
    wanted = np.zeros(len(tokens), dtype=np.int64)
    for place, token in enumerate(tokens):
        if times[place]:
            number = _number(raw, token, int(np.argmax(kind == place)), config)
            _count(token, number, times[place], config, report)
            wanted[place] = _wanted(number, config)
    z = wanted[kind]
    kept = np.flatnonzero(z)
    return z[kept], kept


def _kinds(raw: RawAtoms) -> tuple[Sequence[str], Int[NDArray[np.int64], " atoms"]]:
    """(different tokens in the order in which they come, which of them each atom has)."""
    if raw.kind is not None:
        return raw.tokens, raw.kind
    tokens = list(dict.fromkeys(raw.tokens))
    place = {token: number for number, token in enumerate(tokens)}
    return tokens, np.array([place[token] for token in raw.tokens], dtype=np.int64)


def _count(
    token: str, number: int | None, times: int, config: ReadConfig, report: ReadReport
) -> None:
    if number is None:
        report.count("dummy atoms dropped", times)
    elif number in METALS:
        report.count(f"metal atoms {'dropped' if config.metals == 'drop' else 'kept'}", times)
    elif number == 1:
        report.count("deuterium or tritium read as hydrogen", times * is_heavy_hydrogen(token))
        report.count("hydrogens dropped", times if config.hydrogens == "drop" else 0)


def _wanted(number: int | None, config: ReadConfig) -> int:
    """The atomic number, 0 for what is dropped."""
    dropped = (
        number is None
        or (config.metals == "drop" and number in METALS)
        or (config.hydrogens == "drop" and number == 1)
    )
    return 0 if dropped else number or 0


def _number(raw: RawAtoms, token: str, first: int, config: ReadConfig) -> int | None:
    """The atomic number of a token that atom `first` has; None for a dummy to be dropped."""
    name = token.strip()
    number = atomic_number(name)
    if number is not None and not is_dummy(name):
        return number
    label = raw.labels[first]
    if not is_dummy(name):
        raise DataError(f"{raw.place}, {label}: unknown element {shown(name)}; write its symbol")
    if config.dummies == "stop":
        raise DataError(
            f"{raw.place}, {label}: {shown(name)} is no element; set dummies=drop to leave it out"
        )
    return None


def _check_finite(raw: RawAtoms, kept: NDArray[np.int64]) -> None:
    if len(kept) == 0 or np.abs(raw.pos).max() <= FARTHEST:
        return
    far = ~(np.abs(raw.pos[kept]) <= FARTHEST).all(axis=1)  # true of NaN as well
    if far.any():
        row = int(kept[far][0])
        seen = raw.pos[row].tolist()
        what = "is farther out than any atom" if np.isfinite(seen).all() else "is not finite"
        raise DataError(f"{raw.place}, {raw.labels[row]}: position {seen} {what}; correct the file")


def _check_apart(raw: RawAtoms, kept: NDArray[np.int64]) -> None:
    rounded = np.round(raw.pos[kept], DECIMALS) + 0.0
    # Places that differ have mixtures that differ, but for chance, which is then looked at exactly.
    mixture = rounded[:, 0] + rounded[:, 1] * 1414213.5 + rounded[:, 2] * 1732050807568.5
    if len(np.unique(mixture)) == len(mixture):
        return
    _, place, times = np.unique(rounded, axis=0, return_inverse=True, return_counts=True)
    if (times > 1).any():
        shared = kept[place.reshape(-1) == int(np.argmax(times))]
        where = "({:.3f}, {:.3f}, {:.3f})".format(*raw.pos[shared[0]].tolist())
        if len(shared) > 2:
            raise DataError(f"{raw.place}: {len(shared)} atoms share the coordinates {where}")
        first, second = (raw.labels[index] for index in shared)
        raise DataError(
            f"{raw.place}: {first} and {second} are in the same place, {where}; remove one, or "
            "set coincident=keep"
        )
