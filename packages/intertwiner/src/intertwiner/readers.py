"""Reading a user's own files: the installed reader whose suffix fits."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from torch_geometric.data import Data

from intertwiner.errors import DataError
from intertwiner.fields import Structure
from intertwiner.matching import adapter_chain
from intertwiner.registry import Entry, Registry
from intertwiner.specs import AdapterSpec, load_target

__all__ = ["ComplexReader", "complex_reader", "read_file"]


def read_file(registry: Registry, path: Path, structure: Structure) -> list[Data]:
    """The records in `path` as `structure`: a reader for its suffix, then adapters if need be.

    A folder counts as a file with the suffix `.folder`; `.gz` behind a suffix is left aside.
    Raises `DataError` when no installed plugin leads from such a file to `structure`.
    """
    suffix = _suffix(path)
    for reader in registry.adapters:
        if suffix not in reader.spec.suffixes:
            continue
        chain = adapter_chain(reader.spec.gives, structure, registry.adapters)
        if chain is not None:
            records: list[Data] = _instance(reader)(path)
            for adapter in map(_instance, chain):
                records = [adapter(record) for record in records]
            return records
    known = sorted({suffix for entry in registry.adapters for suffix in entry.spec.suffixes})
    hint = f"files that are read: {', '.join(known)}" if known else "install intertwiner-atoms"
    what = f"{suffix or 'such'} files as {structure}"
    raise DataError(f"{path}: no installed plugin reads {what}; {hint}")


class ComplexReader(Protocol):
    """A reader of complexes that also takes a protein and its ligands as two files."""

    def poses(self, protein: Path | str, ligands: Path | str, **options: Any) -> Any:
        """Every record of `ligands` with the same protein.

        The result has `records`, `failures` (name and reason), `counts`, `notes`, and tells them
        in one line by `summary()`.
        """


def complex_reader(registry: Registry) -> ComplexReader:
    """The installed reader that makes complexes of two files.

    Raises `DataError` when no plugin has one.
    """
    for entry in registry.adapters:
        if entry.spec.takes == Structure.FILE and entry.spec.gives == Structure.COMPLEX:
            reader = _instance(entry)
            if hasattr(reader, "poses"):
                found: ComplexReader = reader
                return found
    raise DataError(
        "no installed plugin reads a protein and a ligand; run: pip install intertwiner-atoms"
    )


def _suffix(path: Path) -> str:
    if path.is_dir():
        return ".folder"
    return Path(path.name.lower().removesuffix(".gz")).suffix


def _instance(entry: Entry[AdapterSpec]) -> Any:
    """The adapter's callable with its default settings."""
    return load_target(entry.spec.target)(load_target(entry.spec.config)())
