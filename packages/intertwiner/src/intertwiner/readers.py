"""Reading a user's own files: the installed reader whose suffix fits."""

from __future__ import annotations

from pathlib import Path

from torch_geometric.data import Data

from intertwiner.errors import DataError
from intertwiner.fields import Structure
from intertwiner.registry import Registry
from intertwiner.specs import load_target

__all__ = ["read_file"]


def read_file(registry: Registry, path: Path, structure: Structure) -> list[Data]:
    """The records in `path` as `structure`, through a reader and, if need be, one more adapter.

    Raises `DataError` when no installed plugin reads such a file.
    """
    suffix = path.suffix.lower()
    readers = [entry for entry in registry.adapters if suffix in entry.spec.suffixes]
    for reader in readers:
        if reader.spec.gives == structure:
            records: list[Data] = load_target(reader.spec.target)(
                load_target(reader.spec.config)()
            )(path)
            return records
    known = sorted({suffix for entry in registry.adapters for suffix in entry.spec.suffixes})
    hint = f"files that are read: {', '.join(known)}" if known else "install intertwiner-atoms"
    what = f"{suffix or 'such'} files as {structure}"
    raise DataError(f"{path}: no installed plugin reads {what}; {hint}")
