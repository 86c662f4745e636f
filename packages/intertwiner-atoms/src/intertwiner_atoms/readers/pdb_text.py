"""What a PDB file must hold before gemmi reads it.

gemmi reads a coordinate field of stars as zero and stops silently at END; a wrong number must not
get that far, so the text is checked first, all lines at once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Bool, Int
from numpy.typing import NDArray

from intertwiner.errors import DataError
from intertwiner_atoms.elements import atomic_number, is_dummy
from intertwiner_atoms.readers.atom_names import element_from_name
from intertwiner_atoms.readers.columns import FixedLines, kinds_of, texts
from intertwiner_atoms.readers.report import ReadReport
from intertwiner_atoms.readers.text import parse_number, read_bytes

__all__ = ["PdbText", "check_coordinates", "check_occupancies", "check_pdb"]

_FIELDS: Final = (("x", 30, 38), ("y", 38, 46), ("z", 46, 54))
_COORDINATE: Final = re.compile(r" *-?\d+\.\d+ *", re.A)

# Ranks of characters: in a field "  -1.250" they never fall before the point ...
_MINUS, _DIGIT, _WRONG = 1, 2, 9
_BEFORE: Final = np.full(256, _WRONG, dtype=np.uint8)
_BEFORE[ord(" ")], _BEFORE[ord("-")], _BEFORE[ord("0") : ord("9") + 1] = 0, _MINUS, _DIGIT
# ... nor behind it, where blanks may follow the digits.
_BEHIND: Final = np.full(256, _WRONG, dtype=np.uint8)
_BEHIND[ord("0") : ord("9") + 1], _BEHIND[ord(" ")] = 0, 1


@dataclass(frozen=True)
class PdbText:
    """A checked PDB file: its bytes, how many atom lines, and elements the file leaves out.

    inferred: (residue name, atom name) -> atomic number, for atoms without an element column.
    """

    data: bytes
    atoms: int
    inferred: dict[tuple[bytes, bytes], int]


def check_pdb(path: Path, max_bytes: int, report: ReadReport) -> PdbText:
    """The text of a PDB file in which every atom has its numbers in their columns.

    Raises `DataError` naming line and atom for a coordinate that is no number or stands in other
    columns, for a line that ends before its coordinates, an occupancy that is no number, an
    element nobody knows, and for atoms after END.
    """
    lines = FixedLines(path, read_bytes(path, max_bytes))
    atoms = np.flatnonzero(lines.begins(b"ATOM", b"HETATM"))
    if not len(atoms):
        raise DataError(f"{path}: no ATOM or HETATM line: not a PDB file, or only its header")
    _check_end(lines, atoms)
    check_coordinates(lines, atoms)
    missing = check_occupancies(lines, atoms)
    report.count("occupancies missing, read as 1", int(missing.sum()))
    inferred = _elements(lines, atoms, report)
    return PdbText(lines.data, len(atoms), inferred)


def _check_end(lines: FixedLines, atoms: Int[NDArray[np.int64], " atoms"]) -> None:
    for index in np.flatnonzero(lines.begins(b"END")).tolist():
        if lines.line(index)[:6].rstrip() == "END" and index < atoms[-1]:
            after = int(atoms[np.searchsorted(atoms, index)])
            raise DataError(
                f"{lines.path}, line {after + 1}: atoms after END (line {index + 1}): several "
                "structures in one file; split it"
            )


def check_coordinates(
    lines: FixedLines,
    atoms: Int[NDArray[np.int64], " atoms"],
) -> None:
    """Raises `DataError` unless columns 31-54 of every atom line hold three finite numbers.

    Each is `blanks, minus, digits, point in its fifth place, digits, blanks`.
    """
    characters = np.ascontiguousarray(lines.columns(atoms, 30, 54).reshape(-1, 8).T)
    first, second, third, fourth = _BEFORE[characters[:4]]
    good = (characters[4] == ord(".")) & (fourth == _DIGIT)
    good &= (first <= second) & (second <= third) & (third <= fourth)
    good &= ~((first == _MINUS) & (second == _MINUS)) & ~((second == _MINUS) & (third == _MINUS))
    sixth, seventh, eighth = _BEHIND[characters[5:]]
    good &= (sixth == 0) & (seventh <= eighth) & (eighth < _WRONG)
    good = good.reshape(-1, 3)
    for row in np.flatnonzero(~good.all(axis=1)).tolist():
        _check_line(lines, int(atoms[row]))


def _check_line(lines: FixedLines, index: int) -> None:
    line = lines.line(index)
    where = f"{lines.path}, line {index + 1}, atom {line[6:11].strip()} {line[12:16].strip()}"
    if len(line) < 54:
        raise DataError(
            f"{where}: the line ends at column {len(line)}, before its coordinates do (54)"
        )
    for axis, start, stop in _FIELDS:
        text = line[start:stop]
        if _COORDINATE.fullmatch(text) is None:
            value = parse_number(text)
            what = "is not finite" if value is not None and value - value != 0 else "is no number"
            raise DataError(
                f"{where}: {axis}={text!r} {what}; columns {start + 1}-{stop} must hold it"
            )
        if text[4] != ".":
            raise DataError(
                f"{where}: {axis}={text!r}: the point is not in column {start + 5}; the columns "
                "are shifted"
            )
    raise DataError(f"{where}: coordinates {line[30:54]!r} cannot be read")


def check_occupancies(
    lines: FixedLines,
    atoms: Int[NDArray[np.int64], " atoms"],
) -> Bool[NDArray[np.bool_], " atoms"]:
    """Which atom lines have no occupancy (columns 55-60).

    Raises `DataError` naming line and atom for one that is no finite number.
    """
    words, kind = kinds_of(lines.columns(atoms, 54, 60))
    blank = np.array([not word.strip() for word in words])
    for number, word in enumerate(words):
        value = parse_number(word)
        if not blank[number] and (value is None or value - value != 0):
            row = int(np.argmax(kind == number))
            line = lines.line(int(atoms[row]))
            raise DataError(
                f"{lines.path}, line {atoms[row] + 1}, atom {line[6:11].strip()} "
                f"{line[12:16].strip()}: {word!r} is not a number (occupancy, columns 55-60); the "
                "columns are shifted"
            )
    return blank[kind]


def _elements(
    lines: FixedLines,
    atoms: Int[NDArray[np.int64], " atoms"],
    report: ReadReport,
) -> dict[tuple[bytes, bytes], int]:
    """Checks columns 77-78 and gives the elements of atoms where they are empty."""
    words, kind = kinds_of(lines.columns(atoms, 76, 78))
    missing = np.zeros(len(words), dtype=bool)
    for number, word in enumerate(words):
        symbol = word.strip()
        missing[number] = not any(character.isalpha() for character in symbol)
        if not missing[number] and atomic_number(symbol) is None and not is_dummy(symbol):
            index = int(atoms[np.argmax(kind == number)])
            line = lines.line(index)
            raise DataError(
                f"{lines.path}, line {index + 1}, atom {line[6:11].strip()} {line[12:16].strip()}: "
                f"element {symbol!r} (columns 77-78) is not in the periodic table, residue "
                f"{line[17:20].strip()}; write its symbol"
            )
    rows = missing[kind]
    report.count("elements missing, taken from the atom name", int(rows.sum()))
    if not rows.any():
        return {}
    named = {
        row.ljust(8).decode("latin-1") for row in texts(lines.columns(atoms[rows], 12, 20)).tolist()
    }
    return {
        (row[5:].strip().encode("latin-1"), row[:4].strip().encode("latin-1")): element_from_name(
            row[:4], row[5:].strip()
        )
        for row in named
    }
