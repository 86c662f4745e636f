"""A toy plugin, installed for these tests by its folder on the path."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

TOY = Path(__file__).parent / "toy"


@pytest.fixture(scope="session", autouse=True)
def _toy_on_the_path() -> Iterator[None]:
    sys.path.insert(0, str(TOY))
    yield
    sys.path.remove(str(TOY))


@pytest.fixture(scope="session")
def toy_folder() -> Path:
    return TOY


@pytest.fixture
def registry():
    """The registry of the toy plugin alone."""
    from intertwiner.registry import Registry
    from intertwiner.registry.discovery import Claim

    claim = Claim("toy", "toy_plugin._plugin", "intertwiner-toy", "0.1.0", ("intertwiner>=0.1",))
    found = Registry.from_claims([claim])
    assert not found.failed
    return found


@pytest.fixture
def command(
    intertwiner: Callable[..., subprocess.CompletedProcess[str]],
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs `intertwiner ...` with the toy plugin (and `also` a folder) installed."""

    def run(
        *arguments: object, also: Path | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        return intertwiner(*arguments, environment=toy_environment(also, **environment))

    return run


def toy_environment(also: Path | None = None, **extra: str) -> dict[str, str]:
    """The environment of a child process that finds the toy plugin, and those in `also`."""
    folders = [str(TOY), str(also or ""), os.environ.get("PYTHONPATH", "")]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, folders)),
        "OMP_NUM_THREADS": "1",
        **extra,
    }


@pytest.fixture(scope="session")
def toy_environment_of() -> Callable[..., dict[str, str]]:
    return toy_environment
