"""C++ to shared object: compiled at first use, kept in the cache, never at import.

An object is named by the SHA-256 of its source, the compiler's version, the flags, and the flags
of the processor it was made for: `-march=native` on a shared disk must not reach another machine.
`-ffast-math` is not used: linked into a shared object it would switch the whole process to
flush-to-zero. One process compiles while others wait; a file appears whole or not at all.
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
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from intertwiner.data.cache import cache_folder, make_folder
from intertwiner.errors import IntertwinerError

__all__ = ["FLAGS", "CompileError", "Compiler", "build", "find_compiler", "processor_flags"]

FLAGS = (
    *("-O3", "-march=native", "-ffp-contract=fast", "-fno-math-errno", "-fPIC", "-std=c++17"),
    *(() if sys.platform == "darwin" else ("-fopenmp",)),
)
CANDIDATES = ("c++", "g++", "clang++")
LAST_LINES = 8

_log = logging.getLogger(__name__)


class CompileError(IntertwinerError):
    """There is no compiler, or it failed; the message ends with what it said."""


@dataclass(frozen=True, slots=True)
class Compiler:
    """A C++ compiler: its path, and what `--version` prints."""

    path: str
    version: str


def find_compiler() -> Compiler:
    """The compiler named by the environment variable CXX, else the first of `CANDIDATES`.

    Raises `CompileError` when there is none that runs.
    """
    chosen = os.environ.get("CXX", "").strip()
    names = (chosen,) if chosen else CANDIDATES
    for path in filter(None, map(shutil.which, names)):
        said = _version(path)
        if said is not None:
            return Compiler(path, said)
    remedy = "set CXX to one that runs" if chosen else "install g++ or clang++, or set CXX"
    raise CompileError(f"no C++ compiler found (looked for {', '.join(names)}): {remedy}")


@functools.cache
def _version(path: str) -> str | None:
    run = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    return run.stdout if run.returncode == 0 else None


@functools.cache
def processor_flags() -> tuple[str, ...]:
    """The instruction sets of this processor, sorted; its name where the system lists none."""
    details = Path("/proc/cpuinfo")
    lines = details.read_text().splitlines() if details.exists() else []
    for line in lines:
        name, _, value = line.partition(":")
        if name.strip() in ("flags", "Features"):
            return tuple(sorted(value.split()))
    return (platform.machine(), platform.processor())


def build(name: str, units: Mapping[str, str]) -> Path:
    """The shared object of `units` (name -> C++ source), compiled unless it is in the cache.

    name: what it is, for the file's name and the log.
    Raises `CompileError` when it cannot be compiled, `DataError` when the cache is not writable.
    """
    compiler = find_compiler()
    folder = cache_folder() / "kernels"
    path = folder / f"{name}-{_key(compiler, units)[:32]}.so"
    if path.exists():
        return path
    make_folder(folder)
    with FileLock(path.with_suffix(".lock")):
        if not path.exists():
            _compile(compiler, name, units, path)
    return path


def _key(compiler: Compiler, units: Mapping[str, str]) -> str:
    parts = [compiler.path, compiler.version, *FLAGS, *processor_flags()]
    parts += [text for pair in sorted(units.items()) for text in pair]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _compile(compiler: Compiler, name: str, units: Mapping[str, str], path: Path) -> None:
    """Units side by side, then linked beside `path` and renamed to it."""
    _log.info("compiling kernel %s for this processor, once; it takes some seconds", name)
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{name}-") as scratch:
        here = Path(scratch)
        for unit, text in units.items():
            (here / f"{unit}.cpp").write_text(text)
        commands = [
            [compiler.path, *FLAGS, "-c", f"{unit}.cpp", "-o", f"{unit}.o"] for unit in units
        ]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(functools.partial(_run, folder=here), commands))
        objects = [f"{unit}.o" for unit in units]
        _run([compiler.path, *FLAGS, "-shared", *objects, "-o", "linked.so"], here)
        (here / "linked.so").replace(path)
    _log.info("compiled kernel %s in %.1f s", name, time.perf_counter() - started)


def _run(command: list[str], folder: Path) -> None:
    try:
        run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    except OSError as error:
        raise CompileError(f"{command[0]} does not run: {error.strerror}") from error
    if run.returncode:
        said = "\n".join((run.stdout + run.stderr).strip().splitlines()[-LAST_LINES:])
        raise CompileError(f"{command[0]} failed with status {run.returncode}:\n{said}")
