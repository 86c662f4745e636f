"""XYZ and extended XYZ: a count, a comment, then one atom a line; any number of frames.

In extended XYZ the comment holds `key=value`: `Lattice` (nine numbers, the cell's vectors one
after another, angstrom), `pbc` ("T T F"; all T when there is a lattice), and `Properties`, which
names the columns: `species:S:1:pos:R:3:...`. Other keys and columns are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from intertwiner.errors import DataError
from intertwiner_atoms.readers.base import AtomsReader
from intertwiner_atoms.readers.raw_atoms import RawAtoms
from intertwiner_atoms.readers.report import ReadReport
from intertwiner_atoms.readers.text import numbered_lines, parse_count, parse_number, shown

__all__ = ["XyzReader"]

_PAIR: Final = re.compile(r"([A-Za-z_][\w-]*)\s*=\s*(\"[^\"]*\"|'[^']*'|\{[^}]*\}|\S+)")
_NO_CELL: Final = np.zeros((3, 3))
Lines = Iterator[tuple[int, str]]


@dataclass(frozen=True)
class _Columns:
    """Where in a line of atoms the element and the position stand."""

    species: int = 0
    pos: int = 1

    @property
    def width(self) -> int:
        return max(self.species + 1, self.pos + 3)


class XyzReader(AtomsReader):
    """Reads `.xyz` and `.extxyz`. Where one frame has a cell, all records carry `cell`, `pbc`."""

    def raw_records(self, path: Path, report: ReadReport) -> Iterator[RawAtoms]:
        frames = list(_frames(path, numbered_lines(path, self.config.max_bytes)))
        if len(frames) == 1:
            frames[0].where, frames[0].name = "", path.stem
        if any(frame.cell is not None for frame in frames):
            for frame in frames:
                frame.cell = _NO_CELL if frame.cell is None else frame.cell
                frame.pbc = np.zeros(3, dtype=bool) if frame.pbc is None else frame.pbc
        return iter(frames)


def _frames(path: Path, lines: Lines) -> Iterator[RawAtoms]:
    for number, (line, text) in enumerate(lines, start=1):
        if not text.strip():
            following = next(((n, t) for n, t in lines if t.strip()), None)
            if following is not None:
                raise DataError(
                    f"{path}, line {line}: blank where the number of atoms of frame {number} "
                    "must stand"
                )
            return
        yield _frame(path, number, _atom_count(path, line, text), line, lines)


def _atom_count(path: Path, line: int, text: str) -> int:
    count = parse_count(text)
    if count is None:
        seen = text.strip()[:40]
        raise DataError(f"{path}, line {line}: {seen!r} where the number of atoms must stand")
    return count


def _frame(path: Path, number: int, count: int, start: int, lines: Lines) -> RawAtoms:
    _, comment = next(lines, (0, ""))
    settings = _settings(comment)
    where = f"frame {number}"
    columns = _columns(path, start + 1, settings)
    tokens, labels, pos = [], [], np.empty((0, 3))
    rows = []
    for index in range(count):
        line, text = next(lines, (0, ""))
        if not text.strip():
            seen = "the file ends" if line == 0 else f"line {line} is blank"
            raise DataError(f"{path}, {where}: {seen} after {index} of {count} atoms")
        token, row = _atom(path, line, index, text, columns)
        tokens.append(token)
        labels.append(f"atom {index + 1} (line {line})")
        rows.append(row)
    if rows:
        pos = np.array(rows, dtype=np.float64)
    cell, pbc = _cell(path, start + 1, settings)
    name = f"{path.stem} {where}"
    return RawAtoms(path, name, where, tokens, labels, pos, cell, pbc)


def _atom(
    path: Path, line: int, index: int, text: str, columns: _Columns
) -> tuple[str, list[float]]:
    words = text.split()
    if len(words) < columns.width:
        raise DataError(
            f"{path}, line {line}: atom {index + 1} has {len(words)} columns, {columns.width} "
            f"are needed: {text.strip()[:60]!r}"
        )
    row = []
    for axis, word in zip("xyz", words[columns.pos : columns.pos + 3], strict=True):
        value = parse_number(word)
        if value is None:
            raise DataError(
                f"{path}, line {line}: atom {index + 1} has {axis}={shown(word)}, which is no "
                "number"
            )
        row.append(value)
    return words[columns.species], row


def _settings(comment: str) -> dict[str, str]:
    """`key=value` pairs of an extended comment, keys in small letters; {} for a plain comment."""
    pairs = {key.lower(): value.strip("\"'{}") for key, value in _PAIR.findall(comment)}
    return pairs if pairs.keys() & {"properties", "lattice"} else {}


def _columns(path: Path, line: int, settings: dict[str, str]) -> _Columns:
    if "properties" not in settings:
        return _Columns()
    words = settings["properties"].split(":")
    names, counts = words[0::3], words[2::3]
    starts = list(chain([0], np.cumsum([parse_count(count) or 0 for count in counts]).tolist()))
    places = dict(zip(names, zip(starts, counts, strict=False), strict=False))
    species = places.get("species", places.get("Z", places.get("numbers")))
    pos = places.get("pos", places.get("positions"))
    if len(words) % 3 or species is None or pos is None or pos[1] != "3" or species[1] != "1":
        raise DataError(
            f"{path}, line {line}: Properties={shown(settings['properties'])} must name columns as "
            "species:S:1:pos:R:3"
        )
    return _Columns(species[0], pos[0])


def _cell(
    path: Path, line: int, settings: dict[str, str]
) -> tuple[NDArray[np.float64] | None, NDArray[np.bool_] | None]:
    if "lattice" not in settings:
        return None, None
    numbers = [parse_number(word) for word in settings["lattice"].split()]
    found = [number for number in numbers if number is not None and np.isfinite(number)]
    if len(numbers) != 9 or len(found) != 9:
        raise DataError(
            f"{path}, line {line}: Lattice={shown(settings['lattice'])} must be nine finite numbers"
        )
    cell = np.array(found).reshape(3, 3)
    words = settings.get("pbc", "T T T").replace(",", " ").split()
    flags = [word[:1].upper() in "T1" for word in words]
    if len(words) != 3 or any(word[:1].upper() not in "TF10" for word in words):
        raise DataError(
            f"{path}, line {line}: pbc={shown(settings['pbc'])} must be three of T or F"
        )
    pbc = np.array(flags)
    if np.linalg.matrix_rank(cell[pbc]) < pbc.sum():
        raise DataError(
            f"{path}, line {line}: periodic along a cell vector that is zero or in the span of "
            f"the others: Lattice={shown(settings['lattice'])}; correct it or set pbc to F there"
        )
    return cell, pbc
