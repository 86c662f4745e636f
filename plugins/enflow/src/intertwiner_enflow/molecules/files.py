"""Molecules written as XYZ and as SDF with the bonds of the table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from torch_geometric.data import Data

from intertwiner.atomic import write_atomically
from intertwiner.errors import DataError
from intertwiner_enflow.molecules.bonds import SYMBOLS, bond_orders

__all__ = ["write_sdf", "write_xyz"]

_MOST = 999
"""Atoms and bonds that the columns of a V2000 block have room for."""


def write_xyz(path: Path, records: Iterable[Data]) -> Path:
    """One frame for every record; positions in angstrom."""
    write_atomically(path, (frame.encode() for frame in map(_frame, records)))
    return path


def write_sdf(path: Path, records: Iterable[Data]) -> Path:
    """One V2000 block for every record, hydrogens and bond orders written out.

    Raises `DataError` for a molecule that the format has no room for.
    """
    write_atomically(path, (block.encode() for block in map(_block, records)))
    return path


def _frame(record: Data) -> str:
    rows = (f"{symbol:<2s} {x:14.8f} {y:14.8f} {z:14.8f}" for symbol, (x, y, z) in _atoms(record))
    return "\n".join([str(len(record.z)), _name(record), *rows, ""])


def _block(record: Data) -> str:
    orders = bond_orders(record.z, record.pos).triu()
    bonds = [
        (first + 1, second + 1, int(orders[first, second]))
        for first, second in orders.nonzero().tolist()
    ]
    if max(len(record.z), len(bonds)) > _MOST:
        raise DataError(
            f"{_name(record)}: {len(record.z)} atoms, {len(bonds)} bonds; SDF (V2000) has room "
            f"for {_MOST}: write XYZ"
        )
    head = [_name(record), f"{'':2}{'enflow':8}{'':10}3D", ""]
    counts = f"{len(record.z):3d}{len(bonds):3d}  0  0  0  0  0  0  0  0999 V2000"
    atoms = [
        f"{x:10.4f}{y:10.4f}{z:10.4f} {symbol:<3s} 0  0  0  0  0  0  0  0  0  0  0  0"
        for symbol, (x, y, z) in _atoms(record)
    ]
    rows = [f"{first:3d}{second:3d}{order:3d}  0" for first, second, order in bonds]
    return "\n".join([*head, counts, *atoms, *rows, "M  END", "$$$$", ""])


def _atoms(record: Data) -> Iterator[tuple[str, list[float]]]:
    symbols = (SYMBOLS[number] for number in record.z.tolist())
    return zip(symbols, record.pos.double().tolist(), strict=True)


def _name(record: Data) -> str:
    text = str(record.name) if "name" in record else "sample"
    return " ".join(text.split())
