"""C++ to shared object: compiled at first use, kept in the cache, never at import.

An object is named by the SHA-256 of its sources, settings, the compiler's version, the flags, and
the flags of the processor it was made for. `-ffast-math` is not used: linked into a shared object
it would switch the whole process to flush-to-zero. One process compiles while others wait; a file
appears whole or not at all.
"""

from __future__ import annotations

import functools
import hashlib
import logging
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Final

from filelock import FileLock

from intertwiner.data.cache import cache_folder, make_folder
from intertwiner.errors import IntertwinerError

__all__ = ["CompileError", "build", "find_compiler", "processor_flags", "sources", "vector_bytes"]

FLAGS: Final = (
    *("-O3", "-march=native", "-ffp-contract=fast", "-fno-math-errno"),
    *("-Wno-psabi", "-fPIC", "-std=c++17", "-shared"),
)
CANDIDATES: Final = ("g++", "c++", "clang++")
MAIN: Final = "program.cpp"
LAST_LINES: Final = 8

_log = logging.getLogger(__name__)


class CompileError(IntertwinerError):
    """There is no compiler, or it failed; the message ends with what it said."""


def find_compiler() -> str:
    """The compiler named by the environment variable CXX, else the first of `CANDIDATES`.

    Raises `CompileError` when there is none that runs.
    """
    chosen = os.environ.get("CXX", "").strip()
    names = (chosen,) if chosen else CANDIDATES
    for path in filter(None, map(shutil.which, names)):
        if _version(path):
            return path
    remedy = "set CXX to one that runs" if chosen else "install g++ or clang++, or set CXX"
    raise CompileError(f"no C++ compiler found (looked for {', '.join(names)}): {remedy}")


@functools.cache
def _version(path: str) -> str:
    run = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    return run.stdout if run.returncode == 0 else ""


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


def vector_bytes() -> int:
    """Width of the processor's vectors: 64, 32 or 16 bytes."""
    flags = processor_flags()
    if "avx512f" in flags:
        return 64
    return 32 if "avx2" in flags else 16


@functools.cache
def sources() -> dict[str, str]:
    """File name -> text of the program's sources."""
    folder = files("intertwiner_enflow.kernels.compiled").joinpath("program")
    texts = {
        item.name: item.read_text()
        for item in folder.iterdir()
        if item.name.endswith((".hpp", ".cpp"))
    }
    return dict(sorted(texts.items()))


def build(name: str, settings: Mapping[str, str | int]) -> Path:
    """The shared object of the program with `settings` defined, compiled unless it is in the cache.

    Raises `CompileError` when it cannot be compiled, `DataError` when the cache is not writable.
    """
    compiler = find_compiler()
    flags = [*FLAGS, *(f"-D{key}={value}" for key, value in sorted(settings.items()))]
    if settings["BYTES"] == 64:
        flags.append("-mprefer-vector-width=512")
    folder = cache_folder() / "kernels"
    path = folder / f"enflow-{name}-{_key(compiler, flags)[:32]}.so"
    if _is_whole(path):
        return path
    make_folder(folder)
    with FileLock(path.with_suffix(".lock")):
        if not _is_whole(path):
            _compile(compiler, flags, path)
            path.with_suffix(".sha256").write_text(_digest(path))
    return path


def _is_whole(path: Path) -> bool:
    """Whether the object is there with its digest: loading a truncated one ends the process."""
    digest = path.with_suffix(".sha256")
    return path.exists() and digest.exists() and digest.read_text() == _digest(path)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _key(compiler: str, flags: list[str]) -> str:
    parts = [compiler, _version(compiler), *flags, *processor_flags()]
    parts += [text for pair in sources().items() for text in pair]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _compile(compiler: str, flags: list[str], path: Path) -> None:
    """In a folder beside `path`, then renamed to it."""
    _log.info("compiling %s for this processor, once; it takes some seconds", path.name)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.stem}-") as scratch:
        here = Path(scratch)
        for name, text in sources().items():
            (here / name).write_text(text)
        command = [compiler, *flags, MAIN, "-o", "program.so"]
        try:
            run = subprocess.run(command, cwd=here, capture_output=True, text=True, check=False)
        except OSError as error:
            raise CompileError(f"{compiler} does not run: {error.strerror}") from error
        if run.returncode:
            said = "\n".join((run.stdout + run.stderr).strip().splitlines()[-LAST_LINES:])
            raise CompileError(f"{compiler} failed with status {run.returncode}:\n{said}")
        (here / "program.so").replace(path)
