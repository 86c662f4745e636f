"""What all readers of atoms share: called with a path, they give a list of records."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from intertwiner.errors import DataError
from intertwiner_atoms.config import ReadConfig
from intertwiner_atoms.readers.raw_atoms import Atoms, RawAtoms
from intertwiner_atoms.readers.report import ReadReport
from intertwiner_atoms.readers.text import numbered_lines
from intertwiner_atoms.readers.validation import checked

if TYPE_CHECKING:
    from torch_geometric.data import Data

__all__ = ["AtomsReader", "Lines", "RecordsReader", "title_of"]

Lines = Iterator[tuple[int, str]]
"""(line number from 1, line without its end)."""

Block = TypeVar("Block")


def title_of(path: Path) -> str:
    """A file's name without its suffix, and without `.gz`."""
    return Path(path.name.removesuffix(".gz")).stem


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
        return [atoms.record() for atoms in self.atoms(Path(path), report)], report

    def atoms(self, path: Path, report: ReadReport) -> Iterator[Atoms]:
        """The checked molecules of the file as arrays, without torch."""
        for raw in self.raw_records(path, report):
            yield checked(raw, self.config, report)

    @abstractmethod
    def raw_records(self, path: Path, report: ReadReport) -> Iterator[RawAtoms]:
        """What the file says, record by record; drops by policy are counted in `report`."""


class RecordsReader(AtomsReader, Generic[Block]):
    """A reader of a format that has one record after another, each by itself.

    boundary: what stands at the beginning of a line where a file can be cut, before that line
    or, where `closes` is set, behind it.
    """

    boundary: ClassVar[bytes]
    closes: ClassVar[bool] = False

    @abstractmethod
    def blocks(self, lines: Lines, first: int = 1) -> Iterator[Block]:
        """The lines of each record; records are numbered from `first`."""

    @abstractmethod
    def parse(self, path: Path, block: Block) -> RawAtoms:
        """One record. Raises `DataError` naming file, record and line."""

    def raw_records(self, path: Path, report: ReadReport) -> Iterator[RawAtoms]:
        for block in self.blocks(numbered_lines(path, self.config.max_bytes)):
            yield self.parse(path, block)

    def each(
        self, path: Path, lines: Lines, first: int = 1, only: int = 0
    ) -> Iterator[tuple[Atoms, ReadReport] | DataError | None]:
        """Every record with its own report, or what is wrong with it.

        only: the one record that is wanted; the others are None.
        """
        for number, block in enumerate(self.blocks(lines, first), start=first):
            if only and number != only:
                yield None
                continue
            report = ReadReport(path)
            try:
                atoms = checked(self.parse(path, block), self.config, report)
            except DataError as error:
                yield error
            else:
                yield atoms, report
