"""Running the cases of a plugin and saying what came of them, with or without pytest."""

from __future__ import annotations

import math
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from intertwiner.conformance.cases import Case, cases
from intertwiner.conformance.findings import Finding, NotCovered, Refuted
from intertwiner.errors import IntertwinerError
from intertwiner.registry import Registry, load_registry

__all__ = ["CheckResult", "Outcome", "plugin_cases", "run", "run_case", "run_cases"]

_KIT = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one case. reason: why it was skipped."""

    case: Case
    status: Literal["passed", "failed", "skipped"]
    findings: tuple[Finding, ...] = ()
    reason: str = ""

    def __str__(self) -> str:
        lines = [self.reason] if self.reason else [str(finding) for finding in self.findings]
        return "\n".join([f"{self.status} {self.case.id}", *(f"    {line}" for line in lines)])


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What came of all cases of a plugin. A plugin where nothing passed is not well."""

    plugin: str
    outcomes: tuple[Outcome, ...]

    def count(self, status: str) -> int:
        return sum(outcome.status == status for outcome in self.outcomes)

    @property
    def well(self) -> bool:
        return self.count("failed") == 0 and self.count("passed") > 0

    def to_json(self) -> dict[str, Any]:
        """Counts, and one row per failure; numbers that do not exist are None."""
        failures = [
            _failure(outcome.case, finding)
            for outcome in self.outcomes
            for finding in outcome.findings
        ]
        counts = {status: self.count(status) for status in ("passed", "failed", "skipped")}
        return {"plugin": self.plugin, **counts, "failures": failures}

    def __str__(self) -> str:
        shown = [str(outcome) for outcome in self.outcomes if outcome.status != "passed"]
        counts = ", ".join(
            f"{self.count(status)} {status}" for status in ("passed", "failed", "skipped")
        )
        return "\n".join([*shown, f"{self.plugin}: {counts}"])


def _failure(case: Case, finding: Finding) -> dict[str, Any]:
    return {
        "item": case.item,
        "field": finding.field,
        "error": _number(finding.error),
        "size": _number(finding.size),
        "allowed": _number(finding.allowed),
        "check": case.check,
        "message": str(finding),
    }


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def plugin_cases(plugin: str, registry: Registry | None = None) -> list[Case]:
    """The cases of an installed plugin, by its name.

    Raises `LookupFailed` when it is not installed or could not be loaded, `DeclarationError` when
    it registers nothing.
    """
    registry = registry or load_registry()
    return cases(registry.plugin(plugin), registry)


def run(plugin: str, registry: Registry | None = None) -> CheckResult:
    """Every case of a plugin, in order; raises as `plugin_cases` does."""
    return CheckResult(plugin, tuple(run_cases(plugin, registry)))


def run_cases(plugin: str, registry: Registry | None = None) -> Iterator[Outcome]:
    """As `run`, one outcome after the other, for showing progress."""
    return map(run_case, plugin_cases(plugin, registry))


def run_case(case: Case) -> Outcome:
    """The outcome of one case; whatever the plugin raises becomes a finding."""
    try:
        findings = tuple(case.run())
    except NotCovered as reason:
        return Outcome(case, "skipped", reason=str(reason))
    except Refuted as refuted:
        findings = (refuted.finding,)
    except Exception as error:
        findings = (_crash(case, error),)
    return Outcome(case, "failed" if findings else "passed", findings)


def _crash(case: Case, error: Exception) -> Finding:
    """The exception in one line, and the last line of the plugin's own code it came through."""
    text = " ".join(str(error).split())[:400]
    said = text if isinstance(error, IntertwinerError) else f"{type(error).__name__}: {text}"
    place = _place(case.package, error)
    return Finding("", f"the check could not be finished: {said}", hint=place)


def _place(package: str, error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if package in Path(frame.filename).parts[:-1]]
    own = own or [frame for frame in frames if Path(frame.filename).stem == package]
    outside = own or [frame for frame in frames if _KIT not in Path(frame.filename).parents]
    last = (outside or list(frames))[-1:]
    return "".join(f"{frame.filename}:{frame.lineno}, in {frame.name}" for frame in last)
