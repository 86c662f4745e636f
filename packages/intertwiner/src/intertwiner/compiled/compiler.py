"""What this machine can compile with, and what for."""

from __future__ import annotations

import functools
import os
import platform
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from intertwiner.errors import IntertwinerError

__all__ = [
    "CompileError",
    "Compiler",
    "NoCompiler",
    "find_compiler",
    "processor_flags",
    "vector_bytes",
]

CANDIDATES: Final = ("c++", "g++", "clang++")
DETAILS: Final = Path("/proc/cpuinfo")


class CompileError(IntertwinerError):
    """A source cannot be compiled; the message ends with what the compiler said."""


class NoCompiler(CompileError):
    """No C++ compiler is on this machine, or the one chosen does not run."""


@dataclass(frozen=True, slots=True)
class Compiler:
    """A C++ compiler: its path, and what `--version` prints."""

    path: str
    version: str


def find_compiler() -> Compiler:
    """The compiler named by the environment variable CXX, else the first of `CANDIDATES`.

    Raises `NoCompiler` when there is none that runs.
    """
    chosen = os.environ.get("CXX", "").strip()
    names = (chosen,) if chosen else CANDIDATES
    for path in filter(None, map(shutil.which, names)):
        said = _version(path)
        if said is not None:
            return Compiler(path, said)
    remedy = "set CXX to one that runs" if chosen else "install g++ or clang++, or set CXX"
    raise NoCompiler(f"no C++ compiler found (looked for {', '.join(names)}): {remedy}")


@functools.cache
def _version(path: str) -> str | None:
    try:
        run = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    except OSError:
        return None
    return run.stdout if run.returncode == 0 else None


@functools.cache
def processor_flags() -> tuple[str, ...]:
    """The instruction sets of this processor, sorted; its name where the system lists none."""
    for line in DETAILS.read_text().splitlines() if DETAILS.exists() else []:
        name, _, value = line.partition(":")
        if name.strip() in ("flags", "Features"):
            return tuple(sorted(value.split()))
    return (platform.machine(), platform.processor())


def vector_bytes() -> int:
    """Width of this processor's vectors: 64, 32 or 16 bytes."""
    flags = processor_flags()
    if "avx512f" in flags:
        return 64
    return 32 if "avx2" in flags else 16
