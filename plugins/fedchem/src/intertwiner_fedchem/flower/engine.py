"""The engine `flower`: `intertwiner federate MODEL DATASET --aggregator A --engine flower`."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from intertwiner import errors
from intertwiner.errors import ConfigError, RunError
from intertwiner.federated import FederationOutcome
from intertwiner.federated.engines import Job
from intertwiner.registry import Registry
from intertwiner_fedchem.flower.deployment import Deployment

__all__ = ["flower", "wait_for_outcome"]

LOGS: Final = "flower"


def flower(job: Job, registry: Registry) -> FederationOutcome:
    """Runs the job on a SuperLink with a SuperNode for every client, all on this machine.

    The result is that of the simulator, to the bit where both use as many threads. What the
    processes print lies in the folder `flower` of the run. Raises `ConfigError` when Flower is not
    installed, and what the server raises.
    """
    if importlib.util.find_spec("flwr") is None:
        raise ConfigError(
            '--engine flower: Flower is not installed; run: pip install "intertwiner-fedchem'
            '[flower]"'
        )
    examples = {client.name: client.examples for client in job.clients(registry)}
    logs = Path(job.out) / LOGS
    with _terminable(), Deployment(absolute(job), examples, logs) as deployment:
        deployment.start()
        return wait_for_outcome(deployment)


@contextmanager
def _terminable() -> Iterator[None]:
    """SIGTERM ends this process as an interrupt from the keyboard does, so that all others end
    with it. Rounds that were finished are saved.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def absolute(job: Job) -> Job:
    """The job for processes that begin in another folder."""
    values = {**json.loads(job.to_json()), "out": str(Path(job.out).absolute()), "progress": False}
    return Job(**values)


def wait_for_outcome(deployment: Deployment) -> FederationOutcome:
    """Waits until the server has written how it ended; the rounds bound their own time.

    Raises the server's own error, and `RunError` when it or the SuperLink dies.
    """
    plan, log = deployment.plan, deployment.superlink.log
    deadline = time.monotonic() + plan.start_s
    while not plan.result.exists():
        if deployment.superlink.ended:
            raise RunError(f"the SuperLink died; see {log}, and go on with --resume")
        if not plan.process.exists() and time.monotonic() > deadline:
            raise RunError(f"the server did not start within {plan.start_s:.0f} s; see {log}")
        if plan.process.exists() and not _lives(int(plan.process.read_text())):
            time.sleep(0.2)
            if not plan.result.exists():
                raise RunError(f"the server died; see {log}, and go on with --resume")
        time.sleep(0.05)
    return _outcome(json.loads(plan.result.read_text()))


def _outcome(found: dict[str, Any]) -> FederationOutcome:
    if "error" in found:
        raise getattr(errors, found["kind"])(found["error"])
    return FederationOutcome(**{**found, "problems": tuple(found["problems"])})


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
