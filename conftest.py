"""What all tests of all packages share: hypothesis' profile, and the list of faults survived."""

from __future__ import annotations

from collections import Counter, defaultdict

import pytest
from hypothesis import HealthCheck, settings

# The same examples everywhere; a busy machine must not fail a test.
settings.register_profile(
    "intertwiner",
    deadline=None,
    derandomize=True,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("intertwiner")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Notes which faults of the list a test is about."""
    for marker in item.iter_markers("fault"):
        item.user_properties.append(("fault", marker.args[0]))


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """`pytest -m fault` ends with a line per fault and what became of its tests."""
    if "fault" not in config.getoption("markexpr"):
        return
    outcomes: dict[str, Counter[str]] = defaultdict(Counter)
    for outcome in ("passed", "failed", "skipped", "error"):
        for report in terminalreporter.stats.get(outcome, []):
            for name, fault in getattr(report, "user_properties", []):
                if name == "fault":
                    outcomes[fault][outcome] += 1
    terminalreporter.section("faults")
    for fault, counts in sorted(outcomes.items()):
        told = ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
        terminalreporter.line(f"{fault}  {told}")
