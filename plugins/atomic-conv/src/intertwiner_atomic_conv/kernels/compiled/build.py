"""C++ to shared object: compiled at first use, kept in the cache, never at import.

An object is named by the SHA-256 of its source, the compiler, the flags and the processor's
instruction sets: `-march=native` on a shared disk must not reach another machine. One process
compiles while others wait; a file appears whole or not at all.
"""

from __future__ import annotations

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

from filelock import FileLock

from intertwiner.data.cache import cache_folder, make_folder
from intertwiner.errors import IntertwinerError

__all__ = ["CompileError", "build", "find_compiler"]

FLAGS = (
    *("-O3", "-march=native", "-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math"),
    *("-fPIC", "-shared", "-std=c++17"),
    *(() if sys.platform == "darwin" else ("-fopenmp",)),
)
CANDIDATES = ("c++", "g++", "clang++")
LAST_LINES = 8

_log = logging.getLogger(__name__)


class CompileError(IntertwinerError):
    """There is no compiler, or it failed; the message ends with what it said."""


def find_compiler() -> tuple[str, str]:
    """(path, what `--version` prints) of the compiler in CXX, else of the first that runs.

    Raises `CompileError` when there is none.
    """
    chosen = os.environ.get("CXX", "").strip()
    names = (chosen,) if chosen else CANDIDATES
    for path in filter(None, map(shutil.which, names)):
        run = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
        if run.returncode == 0:
            return path, run.stdout
    remedy = "set CXX to one that runs" if chosen else "install g++ or clang++, or set CXX"
    raise CompileError(f"no C++ compiler found (looked for {', '.join(names)}): {remedy}")


def build(name: str, source: str) -> Path:
    """The shared object of a C++ source, compiled unless it is in the cache.

    Raises `CompileError` when it cannot be compiled, `DataError` when the cache is not writable.
    """
    path, version = find_compiler()
    parts = [path, version, *FLAGS, _processor(), source]
    key = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    folder = cache_folder() / "kernels"
    target = folder / f"{name}-{key[:32]}.so"
    if target.exists():
        return target
    make_folder(folder)
    with FileLock(target.with_suffix(".lock")):
        if not target.exists():
            _compile(path, name, source, target)
    return target


def _processor() -> str:
    """The instruction sets of this processor; its name where the system lists none."""
    details = Path("/proc/cpuinfo")
    for line in details.read_text().splitlines() if details.exists() else []:
        field, _, value = line.partition(":")
        if field.strip() in ("flags", "Features"):
            return " ".join(sorted(value.split()))
    return f"{platform.machine()} {platform.processor()}"


def _compile(compiler: str, name: str, source: str, target: Path) -> None:
    _log.info("compiling kernel %s for this processor, once; it takes some seconds", name)
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{name}-") as scratch:
        here = Path(scratch)
        (here / f"{name}.cpp").write_text(source)
        command = [compiler, *FLAGS, f"{name}.cpp", "-o", "linked.so"]
        try:
            run = subprocess.run(command, cwd=here, capture_output=True, text=True, check=False)
        except OSError as error:
            raise CompileError(f"{compiler} does not run: {error.strerror}") from error
        if run.returncode:
            said = "\n".join((run.stdout + run.stderr).strip().splitlines()[-LAST_LINES:])
            raise CompileError(f"{compiler} failed with status {run.returncode}:\n{said}")
        (here / "linked.so").replace(target)
    _log.info("compiled kernel %s in %.1f s", name, time.perf_counter() - started)
