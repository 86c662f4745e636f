"""C++ to a shared object: compiled at first use, kept in the cache, never at import.

The object is named by the SHA-256 of its source, the compiler's version, the flags and what this
processor can do, since `-march=native` on a shared disk must not reach another machine. One
process compiles while others wait; the file appears whole or not at all. `-ffast-math` is not
used: linked into a shared object it would change the arithmetic of the whole process.
"""

from __future__ import annotations

import functools
import hashlib
import logging
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from filelock import FileLock

from intertwiner.data.cache import cache_folder, make_folder
from intertwiner.errors import IntertwinerError

__all__ = ["CompileError", "build", "find_compiler", "lanes"]

SOURCE: Final = Path(__file__).with_name("source.cpp")
CANDIDATES: Final = ("c++", "g++", "clang++")
FLAGS: Final = (
    *("-O3", "-march=native", "-ffp-contract=fast", "-fno-math-errno", "-fPIC", "-shared"),
    *("-std=c++17", "-Wno-psabi", "-Wno-unknown-pragmas"),
    *(() if sys.platform == "darwin" else ("-fopenmp",)),
)
LAST_LINES: Final = 8

_log = logging.getLogger(__name__)


class CompileError(IntertwinerError):
    """There is no compiler, or it failed; the message ends with what it said."""


def find_compiler() -> tuple[str, str]:
    """(path, version) of the compiler that CXX names, else of the first of `CANDIDATES`.

    Raises `CompileError` when there is none that runs.
    """
    chosen = os.environ.get("CXX", "").strip()
    names = (chosen,) if chosen else CANDIDATES
    for path in filter(None, map(shutil.which, names)):
        said = _version(path)
        if said is not None:
            return path, said
    remedy = "set CXX to one that runs" if chosen else "install g++ or clang++, or set CXX"
    raise CompileError(f"no C++ compiler found (looked for {', '.join(names)}): {remedy}")


@functools.cache
def _version(path: str) -> str | None:
    run = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    return run.stdout if run.returncode == 0 else None


@functools.cache
def _processor() -> tuple[str, ...]:
    """What this processor can do; its name where the system does not list it."""
    details = Path("/proc/cpuinfo")
    for line in details.read_text().splitlines() if details.exists() else []:
        name, _, value = line.partition(":")
        if name.strip() in ("flags", "Features"):
            return tuple(sorted(value.split()))
    return (platform.machine(), platform.processor())


def lanes() -> int:
    """Numbers of single precision in a register of this processor: 16, or 8."""
    return 16 if "avx512f" in _processor() else 8


def build() -> Path:
    """The shared object, compiled unless it is in the cache.

    Raises `CompileError` when it cannot be compiled, `DataError` when the cache is not writable.
    """
    compiler, version = find_compiler()
    command = [compiler, *FLAGS, f"-DLANES={lanes()}"]
    parts = [*command, version, *_processor(), SOURCE.read_text()]
    key = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
    folder = cache_folder() / "kernels"
    path = folder / f"gauge-aggregate-{key}.so"
    if path.exists():
        return path
    make_folder(folder)
    with FileLock(path.with_suffix(".lock")):
        if not path.exists():
            _compile(command, path)
    return path


def _compile(command: list[str], path: Path) -> None:
    """Beside `path`, then renamed to it."""
    _log.info("compiling the gauge kernel for this processor, once; it takes some seconds")
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".gauge-") as scratch:
        made = Path(scratch) / "made.so"
        _run([*command, str(SOURCE), "-o", str(made)])
        made.replace(path)
    _log.info("compiled the gauge kernel in %.1f s", time.perf_counter() - started)


def _run(command: list[str]) -> None:
    try:
        run = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise CompileError(f"{command[0]} does not run: {error.strerror}") from error
    if run.returncode:
        said = "\n".join((run.stdout + run.stderr).strip().splitlines()[-LAST_LINES:])
        raise CompileError(f"{command[0]} failed with status {run.returncode}:\n{said}")
