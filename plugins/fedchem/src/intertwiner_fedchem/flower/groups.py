"""Processes in groups, and ways to end all that they started."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

__all__ = ["Group", "die_with_parent", "end_marked", "marked"]

_DIE_WITH_PARENT = 1
"""PR_SET_PDEATHSIG of Linux."""


class Group:
    """Processes that are ended together. Their output goes to `log`."""

    def __init__(self, name: str, log: Path, environment: Mapping[str, str]) -> None:
        self.name, self.log, self._environment = name, log, dict(environment)
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self, words: Sequence[str]) -> subprocess.Popen[bytes]:
        """Starts a process; the first one leads the group."""
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                list(words),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment,
                process_group=self.processes[0].pid if self.processes else 0,
                preexec_fn=die_with_parent,
            )
        self.processes.append(process)
        return process

    @property
    def ended(self) -> list[int]:
        """Exit codes of processes that have ended."""
        return [code for process in self.processes if (code := process.poll()) is not None]

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal to every process of the group, also to those started by others."""
        if self.processes:
            with suppress(ProcessLookupError):
                os.killpg(self.processes[0].pid, number)

    def end(self, seconds: float = 0.0) -> None:
        """Ends everything, first by SIGTERM with some time to follow it, then by SIGKILL."""
        if seconds:
            self.signal(signal.SIGTERM)
            deadline = time.monotonic() + seconds
            while len(self.ended) < len(self.processes) and time.monotonic() < deadline:
                time.sleep(0.05)
        self.signal(signal.SIGKILL)
        for process in self.processes:
            process.wait()


def die_with_parent() -> None:
    """Asks the kernel of Linux to end this process with the one it was started by."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, int(signal.SIGKILL))


def marked(setting: str) -> list[int]:
    """Processes that have `setting`, "NAME=value", in their environment. Flower puts its executors
    into groups of their own; what they were started with they cannot lose. None but on Linux.
    """
    found = []
    for entry in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if setting.encode() in entry.read_bytes().split(b"\0"):
                found.append(int(entry.parent.name))
    return [process for process in found if process != os.getpid()]


def end_marked(setting: str, seconds: float = 5.0) -> list[int]:
    """Kills them all; gives those that live on after some seconds."""
    deadline = time.monotonic() + seconds
    while (left := marked(setting)) and time.monotonic() < deadline:
        for process in left:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        time.sleep(0.02)
    return left
