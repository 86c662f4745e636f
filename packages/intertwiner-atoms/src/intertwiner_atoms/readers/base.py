"""What all readers of atoms share: called with a path, they give a list of records."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path

from torch_geometric.data import Data

from intertwiner_atoms.config import ReadConfig
from intertwiner_atoms.readers.report import ReadReport
from intertwiner_atoms.readers.validation import RawAtoms, validated

__all__ = ["AtomsReader"]


class AtomsReader(ABC):
    """A reader of one format: `XyzReader()(path)` is the list of records in the file.

    A format says only how its text becomes `RawAtoms`; policy, checks and counts are shared.
    """

    def __init__(self, config: ReadConfig | None = None) -> None:
        self.config = config or ReadConfig()

    def __call__(self, path: Path | str) -> list[Data]:
        """The records of the file; what was dropped or changed is logged in one line."""
        records, report = self.read(path)
        report.tell()
        return records

    def read(self, path: Path | str) -> tuple[list[Data], ReadReport]:
        """The records of the file and the report.

        Raises `DataError` naming file, place, value and remedy.
        """
        report = ReadReport(Path(path))
        raw = self.raw_records(Path(path), report)
        records = [validated(atoms, self.config, report) for atoms in raw]
        return records, report

    @abstractmethod
    def raw_records(self, path: Path, report: ReadReport) -> Iterator[RawAtoms]:
        """What the file says, record by record; drops by policy are counted in `report`."""
