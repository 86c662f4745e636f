"""What all tests of all packages share: hypothesis' profile, commands, the faults survived."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

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

WARM = Path(__file__).parent / "packages" / "intertwiner" / "tests" / "warm_commands.py"


@pytest.fixture(scope="session")
def intertwiner(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[..., subprocess.CompletedProcess[str]]]:
    """`intertwiner(*arguments, environment=..., timeout=240)`: a command of its own process.

    All are forks of one process that has imported torch (see `warm_commands`); a machine that
    cannot fork starts Python anew for each.
    """
    folder = tmp_path_factory.mktemp("commands")
    base = {**os.environ, "OMP_NUM_THREADS": "1"}
    servers: list[subprocess.Popen[str]] = []

    def fork(arguments: list[str], environment: dict[str, str], timeout: float) -> int:
        if not servers or servers[0].poll() is not None:
            command = [sys.executable, "-P", str(WARM)]
            pipe = subprocess.PIPE
            servers[:] = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=base)]
        request = {
            "arguments": arguments,
            "environment": environment,
            "folder": str(Path.cwd()),
            "out": str(folder / "out"),
            "err": str(folder / "err"),
            "seconds": timeout,
        }
        sent, answered = servers[0].stdin, servers[0].stdout
        assert sent is not None
        assert answered is not None
        print(json.dumps(request), file=sent, flush=True)
        said = answered.readline().strip()
        if said == "late":
            raise subprocess.TimeoutExpired(arguments, timeout)
        return int(said)

    def run(
        *arguments: object, environment: dict[str, str] | None = None, timeout: float = 240
    ) -> subprocess.CompletedProcess[str]:
        words = [*map(str, arguments)]
        chosen = base if environment is None else environment
        if not hasattr(os, "fork"):
            command = [sys.executable, "-m", "intertwiner", *words]
            return subprocess.run(
                command, env=chosen, capture_output=True, text=True, timeout=timeout
            )
        status = fork(words, chosen, timeout)
        streams = [(folder / name).read_text(encoding="utf-8") for name in ("out", "err")]
        return subprocess.CompletedProcess(words, status, *streams)

    yield run
    for server in servers:
        server.communicate("", timeout=60)


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
