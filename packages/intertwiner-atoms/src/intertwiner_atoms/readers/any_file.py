"""Any structure file by its suffix."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Final

from torch_geometric.data import Data

from intertwiner.errors import DataError
from intertwiner_atoms.config import ReadConfig
from intertwiner_atoms.readers.base import AtomsReader
from intertwiner_atoms.readers.report import ReadReport

__all__ = ["SUFFIXES", "read_structures"]

SUFFIXES: Final = {
    ".xyz": "xyz:XyzReader",
    ".extxyz": "xyz:XyzReader",
    ".pdb": "macromolecule:PdbReader",
    ".ent": "macromolecule:PdbReader",
    ".cif": "macromolecule:MmcifReader",
    ".mmcif": "macromolecule:MmcifReader",
    ".sdf": "sdf:SdfReader",
    ".mol": "sdf:SdfReader",
    ".mol2": "mol2:Mol2Reader",
}


def read_structures(
    path: Path | str, config: ReadConfig | None = None
) -> tuple[list[Data], ReadReport]:
    """The records of a structure file, and what was met on the way.

    Raises `DataError` for a suffix that no reader knows and for whatever the reader refuses.
    """
    path = Path(path)
    target = SUFFIXES.get(path.suffix.lower())
    if target is None:
        raise DataError(
            f"{path}: no reader for {path.suffix or 'a file without suffix'}; "
            f"there are readers for {', '.join(SUFFIXES)}"
        )
    module, _, name = target.partition(":")
    kind: type[AtomsReader] = getattr(importlib.import_module(f"{__package__}.{module}"), name)
    return kind(config).read(path)
