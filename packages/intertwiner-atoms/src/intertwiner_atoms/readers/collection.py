"""What was read from many files: the records, what failed and why, and what was counted."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from intertwiner.errors import DataError

if TYPE_CHECKING:
    from torch_geometric.data import Data

__all__ = ["Collection", "Failure"]

_log = logging.getLogger(__name__)
_SHOWN = 5


@dataclass(frozen=True)
class Failure:
    """One file or record that was left out. reason: names file, place, value and remedy."""

    name: str
    reason: str


@dataclass
class Collection:
    """Records in the order of the files.

    counts: what was met -> how often, in all files. notes: record -> what needs a look.
    """

    records: list[Data] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    notes: dict[str, list[str]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self) -> Iterator[Data]:
        return iter(self.records)

    def summary(self) -> str:
        """One line: "118 of 120 read; 2 failed, 3 with notes; waters displaced: 14"."""
        total = len(self.records) + len(self.failures)
        notes = f", {len(self.notes)} with notes" if self.notes else ""
        counts = ", ".join(f"{what}: {times}" for what, times in sorted(self.counts.items()))
        told = f"{len(self.records)} of {total} read; {len(self.failures)} failed{notes}"
        return f"{told}; {counts}" if counts else told

    def as_json(self) -> dict[str, Any]:
        """What a program reads: counts, notes, and every failure with its reason."""
        return {
            "read": len(self.records),
            "failed": [{"name": each.name, "reason": each.reason} for each in self.failures],
            "counts": dict(self.counts),
            "notes": self.notes,
        }

    def tell(self) -> None:
        """Logs the summary and the first failures; raises nothing."""
        _log.log(logging.WARNING if self.failures else logging.INFO, self.summary())
        for failure in self.failures[:_SHOWN]:
            _log.warning("%s left out: %s", failure.name, failure.reason)
        if len(self.failures) > _SHOWN:
            _log.warning("... and %d more", len(self.failures) - _SHOWN)

    def or_error(self, source: object) -> Collection:
        """This collection. Raises `DataError` with the first reason when nothing was read."""
        if not self.records:
            reason = self.failures[0].reason if self.failures else "nothing to read there"
            raise DataError(f"{source}: none of {len(self.failures)} could be read: {reason}")
        return self
