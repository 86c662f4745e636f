"""The text files of QM9: molecules, the list of uncharacterized ones, free atoms' references."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray

from intertwiner.errors import DataError
from intertwiner_atoms.elements import atomic_number
from intertwiner_atoms.readers.text import parse_number

__all__ = [
    "COLUMNS",
    "HARTREE",
    "Qm9Molecule",
    "parse_molecule",
    "read_references",
    "read_uncharacterized",
]

HARTREE: Final = 27.211386245988
"""eV in a hartree (CODATA 2018)."""

COLUMNS: Final = (
    *("A", "B", "C", "mu", "alpha", "homo", "lumo", "gap", "r2", "zpve"),
    *("U0", "U", "H", "G", "Cv"),
)
"""The numbers of a molecule's second line after its tag: A, B, C in GHz, mu in debye, alpha in
bohr^3, r2 in bohr^2, Cv in cal/mol/K, everything else in hartree."""


@dataclass(frozen=True, slots=True)
class Qm9Molecule:
    """index: the published number, from 1. values: in the order and unit of `COLUMNS`."""

    index: int
    z: Int[NDArray[np.int64], " atoms"]
    pos: Float[NDArray[np.float64], "atoms 3"]
    charges: Float[NDArray[np.float64], " atoms"]
    values: Float[NDArray[np.float64], 15]


def parse_molecule(text: str, where: str) -> Qm9Molecule:
    """One file of the archive. Numbers such as `1.2*^-6` mean `1.2e-6`.

    Raises `DataError` naming file, line and value where the text is of another form.
    """
    lines = text.replace("*^", "e").splitlines()
    if len(lines) < 2 or not lines[0].strip().isdigit():
        raise DataError(f"{where}, line 1: must be the number of atoms")
    count = int(lines[0])
    if len(lines) < count + 2:
        raise DataError(f"{where}: {count} atoms announced, the file ends in line {len(lines)}")
    words = lines[1].split()
    if len(words) != 2 + len(COLUMNS) or not words[1].isdigit():
        raise DataError(f"{where}, line 2: a tag, a number and {len(COLUMNS)} values must stand")
    rows = [_atom(lines[2 + index], f"{where}, line {3 + index}") for index in range(count)]
    numbers = np.array([numbers for _, numbers in rows]).reshape(-1, 4)
    return Qm9Molecule(
        index=int(words[1]),
        z=np.array([z for z, _ in rows], dtype=np.int64),
        pos=numbers[:, :3],
        charges=numbers[:, 3],
        values=np.array([_finite(word, f"{where}, line 2") for word in words[2:]]),
    )


def _atom(line: str, where: str) -> tuple[int, list[float]]:
    words = line.split()
    z = atomic_number(words[0]) if words else None
    if len(words) != 5 or z is None:
        raise DataError(f"{where}: {line!r} must be element, x, y, z, charge")
    return z, [_finite(word, where) for word in words[1:]]


def _finite(word: str, where: str) -> float:
    value = parse_number(word)
    if value is None or not np.isfinite(value):
        raise DataError(f"{where}: {word!r} is no finite number")
    return value


def read_uncharacterized(path: Path) -> frozenset[int]:
    """The published numbers of the molecules that failed the consistency check."""
    rows = [line.split() for line in path.read_text(encoding="utf-8").splitlines()]
    found = frozenset(int(row[0]) for row in rows if row and row[0].isdigit())
    if not found:
        raise DataError(f"{path}: no line begins with a molecule's number")
    return found


def read_references(path: Path) -> dict[str, dict[int, float]]:
    """quantity -> atomic number -> a free atom's value in eV, of U0, U, H and G.

    Lines of the file: element, ZPVE, U0, U, H, G in hartree, Cv in cal/mol/K.
    """
    found: dict[str, dict[int, float]] = {name: {} for name in ("U0", "U", "H", "G")}
    for line in path.read_text(encoding="utf-8").splitlines():
        words = line.split()
        z = atomic_number(words[0]) if len(words) == 7 and words[0].isalpha() else None
        if z is not None and all(parse_number(word) is not None for word in words[1:]):
            for name, word in zip(found, words[2:6], strict=True):
                found[name][z] = _finite(word, str(path)) * HARTREE
    if not found["U0"]:
        raise DataError(f"{path}: no line holds an element and its six references")
    return found
