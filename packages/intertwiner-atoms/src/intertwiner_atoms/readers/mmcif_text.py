"""What an mmCIF file must hold before gemmi makes a structure of it: numbers for coordinates."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import numpy as np

from intertwiner.errors import DataError
from intertwiner_atoms.readers.text import parse_number, shown

__all__ = ["check_atom_site"]

_NUMBERS: Final = re.compile(r"[-+.0-9\s]*", re.A)


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
    if all(_plain_numbers(block, f"_atom_site.{name}") for name in columns[2:]):
        return len(table)
    for index, row in enumerate(table, start=1):
        for axis, text in zip("xyz", (row[2], row[3], row[4]), strict=True):
            value = parse_number(text.split("(")[0])
            if value is None or value - value != 0:
                raise DataError(
                    f"{path}, _atom_site row {index}, atom {row[0][:20]} {row[1][:20]}: "
                    f"{axis}={shown(text)} is no finite number"
                )
    return len(table)


def _plain_numbers(block: Any, tag: str) -> bool:
    """Whether a whole column is of plain decimals; False sends its rows to be looked at singly."""
    words = list(block.find_values(tag))
    if _NUMBERS.fullmatch("\n".join(words)) is None:
        return False
    try:
        return bool(np.isfinite(np.array(words, dtype=np.float64)).all())
    except ValueError:
        return False
