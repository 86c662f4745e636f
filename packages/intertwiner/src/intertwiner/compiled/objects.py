"""C++ to shared object: compiled at first use, kept in the cache, never at import.

An object is named by the SHA-256 of its sources, the compiler's version, the flags, and the
instruction sets of the processor: `-march=native` on a shared disk must not reach another machine.
Its own SHA-256 lies beside it, since loading a truncated object ends the process. One process
compiles while others wait; a file appears whole or not at all, and what a killed compilation left
is cleared by the next.
"""

from __future__ import annotations

import functools
import hashlib
import logging
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from filelock import FileLock

from intertwiner.atomic import digest
from intertwiner.compiled.compiler import (
    CompileError,
    Compiler,
    NoCompiler,
    find_compiler,
    processor_flags,
)
from intertwiner.data.cache import cache_folder, make_folder

__all__ = ["FLAGS", "OPENMP", "build"]

FLAGS: Final = (
    *("-O3", "-march=native", "-ffp-contract=fast", "-fno-math-errno", "-fPIC", "-std=c++17"),
)
"""Of every compilation."""

OPENMP: Final = () if sys.platform == "darwin" else ("-fopenmp",)
"""For kernels with threads; Apple's compiler comes without."""

REFUSED: Final = frozenset({"-ffast-math", "-Ofast", "-funsafe-math-optimizations"})
LAST_LINES: Final = 8

_log = logging.getLogger(__name__)


def build(
    name: str,
    units: Mapping[str, str],
    *,
    flags: Sequence[str] = (),
    headers: Mapping[str, str] | None = None,
) -> Path:
    """The shared object of `units` (name -> C++ source), compiled unless it is in the cache.

    name: what it is, for the file's name and the log; it begins with the plugin's.
    flags: beside `FLAGS`, such as `OPENMP` or "-DLANES=16".
    headers: file name -> text, for `#include "..."` in the units.

    Raises `CompileError` when it cannot be compiled (`NoCompiler` without a compiler), `DataError`
    when the cache is not writable, `ValueError` for flags that would switch the arithmetic of the
    whole process to flush-to-zero.
    """
    if refused := REFUSED.intersection(flags):
        raise ValueError(f"{name}: {', '.join(sorted(refused))} changes the whole process")
    command = _Command(find_compiler(), (*FLAGS, *flags))
    files = {f"{unit}.cpp": text for unit, text in units.items()} | dict(headers or {})
    folder = cache_folder() / "kernels"
    path = folder / f"{name}-{command.key(files)[:32]}.so"
    if _is_whole(path):
        return path
    make_folder(folder)
    with FileLock(path.with_suffix(".lock")):
        if not _is_whole(path):
            _compile(command, name, files, path)
    return path


def _is_whole(path: Path) -> bool:
    """Whether the object is there with its digest."""
    sidecar = path.with_suffix(".sha256")
    return path.exists() and sidecar.exists() and sidecar.read_text() == digest(path)


class _Command:
    """A compiler with its flags."""

    def __init__(self, compiler: Compiler, flags: Sequence[str]) -> None:
        self.compiler = compiler
        self.flags = flags

    def key(self, files: Mapping[str, str]) -> str:
        parts = [self.compiler.path, self.compiler.version, *self.flags, *processor_flags()]
        parts += [text for pair in sorted(files.items()) for text in pair]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def run(self, arguments: Sequence[str], folder: Path) -> None:
        command = [self.compiler.path, *self.flags, *arguments]
        try:
            run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        except OSError as error:
            raise NoCompiler(f"{command[0]} does not run: {error.strerror}") from error
        if run.returncode:
            said = "\n".join((run.stdout + run.stderr).strip().splitlines()[-LAST_LINES:])
            raise CompileError(f"{command[0]} failed with status {run.returncode}:\n{said}")


def _compile(command: _Command, name: str, files: Mapping[str, str], path: Path) -> None:
    """Units side by side, then linked beside `path` and renamed to it."""
    _log.info("compiling kernel %s for this processor, once; it takes some seconds", name)
    started = time.perf_counter()
    with _scratch(path.with_suffix(".partial")) as here:
        for file, text in files.items():
            (here / file).write_text(text, encoding="utf-8")
        units = [file.removesuffix(".cpp") for file in files if file.endswith(".cpp")]
        calls = [("-c", f"{unit}.cpp", "-o", f"{unit}.o") for unit in units]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(functools.partial(command.run, folder=here), calls))
        command.run(("-shared", *(f"{unit}.o" for unit in units), "-o", "linked.so"), here)
        (here / "digest").write_text(digest(here / "linked.so"))
        (here / "digest").replace(path.with_suffix(".sha256"))
        (here / "linked.so").replace(path)
    _log.info("compiled kernel %s in %.1f s", name, time.perf_counter() - started)


@contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    """An empty folder, gone afterwards; whoever holds the lock of the object is its only user."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
