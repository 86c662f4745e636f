"""What was met and done when a complex was made from its files."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from intertwiner_atoms.readers.report import ReadReport

__all__ = ["ComplexReport"]

_log = logging.getLogger(__name__)


@dataclass
class ComplexReport:
    """The reports of both files, and what came of joining them.

    counts: such as "waters displaced" -> 3. notes: what needs more than a number, such as a bond
    between ligand and protein. policies: the settings it was read with.
    """

    name: str
    protein: ReadReport
    ligand: ReadReport
    policies: Mapping[str, Any]
    atoms: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    def count(self, what: str, times: int = 1) -> None:
        """Adds `times` to the count of `what`; zero leaves no trace."""
        if times:
            self.counts[what] += times

    @property
    def all_counts(self) -> Counter[str]:
        """The counts of both files, named by their part, and those of the complex."""
        found = Counter(self.counts)
        for part, report in (("protein", self.protein), ("ligand", self.ligand)):
            found.update({f"{part}: {what}": times for what, times in report.counts.items()})
        return found

    def summary(self) -> str:
        """One line: name, atoms, what was counted, what was noted."""
        counts = [f"{what}: {times}" for what, times in sorted(self.all_counts.items())]
        told = "; ".join([", ".join(counts), *self.notes] if counts else self.notes)
        return f"{self.name}: {self.atoms} atoms" + (f"; {told}" if told else "")

    def tell(self) -> None:
        """Logs the summary: as a warning where something needs a look."""
        _log.log(logging.WARNING if self.notes else logging.INFO, self.summary())

    @property
    def files(self) -> tuple[Path, Path]:
        """The files of the protein and of the ligand."""
        return self.protein.file, self.ligand.file
