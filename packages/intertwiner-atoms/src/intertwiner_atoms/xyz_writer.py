"""Extended XYZ files, as this package and most atomistic programs read them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from torch import Tensor
from torch_geometric.data import Data

from intertwiner.atomic import write_atomically
from intertwiner.errors import DataError
from intertwiner_atoms.elements import SYMBOLS

__all__ = ["write_extxyz"]


def write_extxyz(
    path: Path, records: Iterable[Data], labels: Sequence[Mapping[str, Tensor]] | None = None
) -> None:
    """Writes one frame for every record of the ATOMS structure.

    labels: for every record name -> tensor; one with a row for every atom ([atoms] or
    [atoms, width]) becomes columns, one with a single row goes into the comment line. Positions
    and cell are in angstrom; labels keep the unit they have.

    Raises `DataError` for a label of another shape.
    """
    records = list(records)
    extra = labels if labels is not None else [{}] * len(records)
    frames = (_frame(record, label) for record, label in zip(records, extra, strict=True))
    write_atomically(path, (frame.encode() for frame in frames))


def _frame(record: Data, labels: Mapping[str, Tensor]) -> str:
    symbols = [SYMBOLS[number] for number in record.z.tolist()]
    columns: dict[str, np.ndarray] = {"pos": record.pos.detach().double().cpu().numpy()}
    comment = _cell(record)
    for name, value in labels.items():
        array = value.detach().double().cpu().numpy()
        if array.ndim and len(array) == len(symbols) != 1:
            columns[name] = array.reshape(len(symbols), -1)
        elif array.ndim == 0 or len(array) == 1:
            comment.append(f"{name}={_quoted(array.reshape(-1))}")
        else:
            raise DataError(
                f"label {name!r} of {_name(record)} has shape {list(array.shape)} for "
                f"{len(symbols)} atoms"
            )
    properties = "".join(f":{name}:R:{column.shape[1]}" for name, column in columns.items())
    head = " ".join([f"Properties=species:S:1{properties}", *comment, f'name="{_name(record)}"'])
    table = np.concatenate(list(columns.values()), axis=1)
    rows = (
        f"{symbol:<2s} " + " ".join(f"{value:.8f}" for value in row)
        for symbol, row in zip(symbols, table.tolist(), strict=True)
    )
    return "\n".join([str(len(symbols)), head, *rows, ""])


def _cell(record: Data) -> list[str]:
    if "cell" not in record or not bool(record.pbc.any()):
        return []
    flags = " ".join("T" if flag else "F" for flag in record.pbc.reshape(-1).tolist())
    return [f"Lattice={_quoted(record.cell.double().numpy().reshape(-1))}", f'pbc="{flags}"']


def _quoted(values: np.ndarray) -> str:
    text = " ".join(f"{value:.10g}" for value in values.tolist())
    return text if len(values) == 1 else f'"{text}"'


def _name(record: Data) -> str:
    text = str(record.name) if "name" in record else ""
    return text.replace('"', "'").replace("\n", " ")
