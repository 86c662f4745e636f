"""Any structure file by its suffix, or by what stands in it where the suffix is wrong."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

from intertwiner.errors import DataError
from intertwiner_atoms.config import ReadConfig
from intertwiner_atoms.readers.base import AtomsReader
from intertwiner_atoms.readers.report import ReadReport
from intertwiner_atoms.readers.sniff import format_of
from intertwiner_atoms.readers.text import check_text

if TYPE_CHECKING:
    from torch_geometric.data import Data

__all__ = ["SUFFIXES", "read_structures", "reader_of", "suffix_of"]

SUFFIXES: Final = {
    ".xyz": "xyz:XyzReader",
    ".extxyz": "xyz:XyzReader",
    ".pdb": "macromolecule:PdbReader",
    ".ent": "macromolecule:PdbReader",
    ".cif": "macromolecule:MmcifReader",
    ".mmcif": "macromolecule:MmcifReader",
    ".pdbqt": "pdbqt:PdbqtReader",
    ".sdf": "sdf:SdfReader",
    ".mol": "sdf:SdfReader",
    ".mol2": "mol2:Mol2Reader",
}
_FORMATS: Final = {
    "mmcif": ".cif",
    "mol2": ".mol2",
    "sdf": ".sdf",
    "pdbqt": ".pdbqt",
    "pdb": ".pdb",
}


def suffix_of(path: Path) -> str:
    """The suffix in small letters, that of the packed file for `.gz`."""
    name = path.name.lower()
    return Path(name.removesuffix(".gz")).suffix


def reader_of(path: Path, config: ReadConfig | None, report: ReadReport) -> AtomsReader:
    """The reader for a file; a suffix that its content belies is counted in the report.

    Raises `DataError` for a file that is no text, and one of which neither says its format.
    """
    config = config or ReadConfig()
    target = SUFFIXES.get(suffix_of(path))
    if target is None and not path.is_file():
        raise _unknown(path)
    seen = format_of(check_text(path, config.max_bytes))
    if seen is not None and SUFFIXES[_FORMATS[seen]] != target:
        report.count(f"looks like {seen}, read as {seen}")
        target = SUFFIXES[_FORMATS[seen]]
    if target is None:
        raise _unknown(path)
    module, _, name = target.partition(":")
    kind: type[AtomsReader] = getattr(importlib.import_module(f"{__package__}.{module}"), name)
    return kind(config)


def read_structures(
    path: Path | str, config: ReadConfig | None = None
) -> tuple[list[Data], ReadReport]:
    """The records of a structure file, and what was met on the way.

    Raises `DataError` for a file that no reader knows and for whatever the reader refuses.
    """
    found = ReadReport(Path(path))
    records, report = reader_of(Path(path), config, found).read(path)
    report.counts.update(found.counts)
    return records, report


def _unknown(path: Path) -> DataError:
    return DataError(
        f"{path}: no reader for {path.suffix or 'a file without suffix'}; "
        f"there are readers for {', '.join(SUFFIXES)}"
    )
