"""The further columns of a table of complexes as labels of their records."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from intertwiner.errors import DataError
from intertwiner_atoms.complexes.sources import ComplexFiles
from intertwiner_atoms.readers.text import parse_number, shown

if TYPE_CHECKING:
    from torch_geometric.data import Data

__all__ = ["Labels", "label", "labels_of"]

Labels = dict[str, list[float] | list[str]]
"""Column -> a value for every row: numbers, NaN where one is missing, or words."""

_TAKEN: Final = frozenset("pos z part residue residue_names name smiles batch ptr x y".split())  # noqa: SIM905
_MISSING: Final = frozenset(["", "na", "n/a", "nan", "none", "null"])


def labels_of(path: Path, rows: Sequence[ComplexFiles]) -> Labels:
    """The labels of a table: a column with any number in it is one of numbers.

    Raises `DataError` naming row and column for a word among numbers and for a name that
    records use already.
    """
    heads = list(rows[0].columns) if rows else []
    return {head: _column(path, head, [row.columns[head] for row in rows]) for head in heads}


def _column(path: Path, head: str, words: Sequence[str]) -> list[float] | list[str]:
    if head in _TAKEN or not head.isidentifier():
        raise DataError(f"{path}: column {shown(head)} cannot be a label's name; rename it")
    numbers = [math.nan if word.lower() in _MISSING else parse_number(word) for word in words]
    found = [number for number in numbers if number is not None]
    if all(math.isnan(number) for number in found) and len(found) < len(words):
        return list(words)
    for row, (word, number) in enumerate(zip(words, numbers, strict=True), start=1):
        if number is None or math.isinf(number):
            raise DataError(f"{path}, row {row}: {head}={shown(word)} is no finite number")
    return found


def label(record: Data, labels: Labels, row: int) -> Data:
    """The record with the labels of its row: numbers as float32 `[1]`, words as str."""
    import torch

    for head, values in labels.items():
        value = values[row]
        numeric = isinstance(value, float)
        record[head] = torch.tensor([value], dtype=torch.float32) if numeric else value
    return record
