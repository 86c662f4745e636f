"""The kit run on one model."""

from __future__ import annotations

from intertwiner.conformance.cases import Case, cases
from intertwiner.conformance.run import run_case
from intertwiner.registry import Entry, Plugin, Registry


def cases_of(spec) -> list[Case]:
    entry = Entry("toy", "toy", "0", spec)
    plugin = Plugin("toy", "toy", "0", "conformance_toys.honest", {"models": (entry,)})
    return cases(plugin, Registry([plugin]))


def failures(spec) -> dict[str, str]:
    """Check -> message of every check of the model that fails."""
    outcomes = [run_case(case) for case in cases_of(spec)]
    return {
        outcome.case.check.partition(" of ")[0]: str(outcome.findings[0])
        for outcome in outcomes
        if outcome.status == "failed"
    }
