"""What a PDB or mmCIF file must hold before gemmi reads it.

gemmi reads a coordinate field of stars as zero and stops silently at END; a wrong number must not
get that far, so the text is checked first.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

from intertwiner.errors import DataError
from intertwiner_atoms.readers.report import ReadReport
from intertwiner_atoms.readers.text import numbered_lines, parse_number

__all__ = ["check_atom_site", "check_pdb"]

_FIELDS: Final = (("x", 30, 38), ("y", 38, 46), ("z", 46, 54))
_COORDINATE: Final = re.compile(r" *-?\d+\.\d+ *")
_ATOM: Final = ("ATOM", "HETATM")


def check_pdb(path: Path, max_bytes: int, report: ReadReport) -> int:
    """The number of atom lines of the file.

    Raises `DataError` naming line and atom for a coordinate that is no number or stands in other
    columns, for a line that ends before its coordinates, and for atoms after END.
    """
    atoms = 0
    ended = 0
    for number, line in numbered_lines(path, max_bytes):
        if line.startswith(_ATOM):
            if ended:
                raise DataError(
                    f"{path}, line {number}: atoms after END (line {ended}): several structures "
                    "in one file; split it"
                )
            _check_line(path, number, line)
            atoms += 1
            report.count("occupancies missing, read as 1", not line[54:60].strip())
            report.count("elements missing, taken from the atom name", not line[76:78].strip())
        elif line[:6].rstrip() == "END":
            ended = number
    if not atoms:
        raise DataError(f"{path}: no ATOM or HETATM line: not a PDB file, or only its header")
    return atoms


def _check_line(path: Path, number: int, line: str) -> None:
    where = f"{path}, line {number}, atom {line[6:11].strip()} {line[12:16].strip()}"
    if len(line) < 54:
        raise DataError(f"{where}: the line ends at column {len(line)}, before its coordinates do")
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


def check_atom_site(path: Path, block: Any) -> int:
    """The number of rows of `_atom_site` in a gemmi CIF block.

    Raises `DataError` naming row and atom for a coordinate that is no finite number.
    """
    columns = ("id", "label_atom_id", "Cartn_x", "Cartn_y", "Cartn_z")
    table = block.find("_atom_site.", list(columns))
    if len(table) == 0:
        raise DataError(
            f"{path}: no _atom_site rows with {', '.join(columns)}: not an mmCIF file of a "
            "structure"
        )
    for index, row in enumerate(table, start=1):
        for axis, text in zip("xyz", (row[2], row[3], row[4]), strict=True):
            value = parse_number(text.split("(")[0])
            if value is None or value - value != 0:
                raise DataError(
                    f"{path}, _atom_site row {index}, atom {row[0]} {row[1]}: {axis}={text!r} is "
                    "no finite number"
                )
    return len(table)
