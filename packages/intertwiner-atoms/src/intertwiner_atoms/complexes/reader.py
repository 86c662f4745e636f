"""The reader of complexes as the core calls it: a path in, records out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch_geometric.data import Data

from intertwiner_atoms.complexes.many import read_complexes, read_poses
from intertwiner_atoms.complexes.reading import read_complex
from intertwiner_atoms.complexes.receptor import Receptor, read_receptor
from intertwiner_atoms.complexes.report import ComplexReport
from intertwiner_atoms.config import ComplexConfig
from intertwiner_atoms.readers.collection import Collection

__all__ = ["ComplexReader"]


class ComplexReader:
    """Reads a table (`.csv`) of proteins and ligands, or a folder of complexes.

    A plugin that has this reader from the registry reads single complexes with `pair`, docked
    poses with `poses`, and a protein for many calls of `pair` with `receptor`.
    """

    def __init__(self, config: ComplexConfig | None = None) -> None:
        self.config = config or ComplexConfig()

    def __call__(self, path: Path | str) -> list[Data]:
        """The complexes that can be read; what failed is logged with its reason.

        Raises `DataError` when none can.
        """
        collection = self.read(path).or_error(path)
        collection.tell()
        return collection.records

    def read(self, path: Path | str, **options: Any) -> Collection:
        """See `read_complexes`."""
        return read_complexes(path, self.config, **options)

    def pair(
        self, protein: Path | str | Receptor, ligand: Path | str, **options: Any
    ) -> tuple[Data, ComplexReport]:
        """See `read_complex`."""
        return read_complex(protein, ligand, self.config, **options)

    def poses(self, protein: Path | str, ligands: Path | str, **options: Any) -> Collection:
        """See `read_poses`."""
        return read_poses(protein, ligands, self.config, **options)

    def receptor(self, protein: Path | str) -> Receptor:
        """See `read_receptor`."""
        return read_receptor(protein, self.config)
