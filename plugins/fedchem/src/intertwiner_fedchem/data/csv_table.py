"""SMILES and labels from a CSV file, every row accounted for."""

from __future__ import annotations

import csv
import gzip
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from intertwiner.errors import DataError

__all__ = ["Table", "read_csv"]


@dataclass(frozen=True, slots=True)
class Table:
    """smiles: of every row; labels [rows, columns], NaN where there is none."""

    smiles: tuple[str, ...]
    labels: NDArray[np.float64]


def read_csv(path: Path, smiles: str, columns: Sequence[str], *, classes: bool) -> Table:
    """The column `smiles` and the label columns, which with `classes` hold 0, 1 or nothing.

    Raises `DataError` naming the row (the first below the head is 1) and the column.
    """
    try:
        opened = gzip.open if path.suffix == ".gz" else open
        with opened(path, "rt", newline="", encoding="utf-8-sig") as file:
            rows = list(_rows(path, csv.DictReader(file, strict=True), (smiles, *columns)))
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: not a CSV file that can be read: {error}") from error
    if not rows:
        raise DataError(f"{path}: no rows below the head")
    labels = [
        [_label(path, number, column, row[column], classes) for column in columns]
        for number, row in enumerate(rows, 1)
    ]
    return Table(tuple(row[smiles].strip() for row in rows), np.array(labels, dtype=np.float64))


def _rows(
    path: Path, reader: csv.DictReader[str], needed: Sequence[str]
) -> Iterator[dict[str, str]]:
    present = reader.fieldnames or ()
    for name in needed:
        if name not in present:
            raise DataError(f"{path}: no column {name!r}; there are: {', '.join(present)[:200]}")
    for number, row in enumerate(reader, 1):
        if None in row or any(row[name] is None for name in needed):
            raise DataError(f"{path}, row {number}: not as many fields as the head has")
        yield row


def _label(path: Path, number: int, column: str, text: str, classes: bool) -> float:
    where = f"{path}, row {number}, column {column!r}"
    if not text.strip():
        return math.nan
    try:
        value = float(text)
    except ValueError:
        raise DataError(f"{where}: {text!r} is no number; leave a missing label empty") from None
    if not math.isfinite(value):
        raise DataError(f"{where}: {text!r}; leave a missing label empty")
    if classes and value not in (0.0, 1.0):
        raise DataError(f"{where}: {text!r} is neither 0 nor 1")
    return value
