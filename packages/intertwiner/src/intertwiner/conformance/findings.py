"""What a check has to say: a finding for a stranger to read, or why there is nothing to find."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["Finding", "NotCovered", "Refuted"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not hold.

    field: the field, setting, parameter or argument it is about ("" when about the whole item).
    what: what was done and what should have followed.
    error: largest absolute error, in the field's unit; size: largest absolute value expected.
    allowed: the largest error that would have passed. NaN where there is no number.
    hint: where to look.
    """

    field: str
    what: str
    error: float = math.nan
    size: float = math.nan
    allowed: float = math.nan
    hint: str = ""

    def __str__(self) -> str:
        parts = [f"field {self.field!r}: {self.what}" if self.field else self.what]
        if not math.isnan(self.allowed):
            parts.append(
                f"the error is {self.error:.3g} where the value is {self.size:.3g}, "
                f"at most {self.allowed:.3g} is allowed"
            )
        if self.hint:
            parts.append(f"look at {self.hint}")
        return "; ".join(parts)


class Refuted(Exception):
    """A check cannot go on because what it was given is wrong already."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(str(finding))
        self.finding = finding


class NotCovered(Exception):
    """The kit has no test for this here: the message says what is missing. Counted as skipped."""
