"""What a reader saw, kept, dropped and changed."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["ReadReport"]

_log = logging.getLogger(__name__)


@dataclass
class ReadReport:
    """Counts of one file.

    counts: what was met -> how often, such as "waters dropped" -> 120. Only what needs a word is
    counted; `records` and `atoms` are what was kept.
    """

    file: Path
    records: int = 0
    atoms: int = 0
    counts: Counter[str] = field(default_factory=Counter)

    def count(self, what: str, times: int = 1) -> None:
        """Adds `times` to the count of `what`; zero leaves no trace."""
        if times:
            self.counts[what] += times

    def summary(self) -> str:
        """One line: `1abc.pdb: 1 record, 982 atoms; altlocs dropped: 3, metal atoms kept: 1`."""
        records = "1 record" if self.records == 1 else f"{self.records} records"
        atoms = "1 atom" if self.atoms == 1 else f"{self.atoms} atoms"
        parts = [f"{what}: {times}" for what, times in sorted(self.counts.items())]
        return f"{self.file.name}: {records}, {atoms}" + "".join(
            f"{'; ' if index == 0 else ', '}{part}" for index, part in enumerate(parts)
        )

    def tell(self) -> None:
        """Logs the summary: as a warning where something was left out or changed."""
        _log.log(logging.WARNING if self.counts else logging.INFO, self.summary())
