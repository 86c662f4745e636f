"""Shared objects loaded through ctypes: functions of raw pointers, no headers of torch.

A function takes pointers to contiguous tensors, 64-bit integers and doubles, and returns nothing;
ctypes releases the interpreter's lock while it runs.
"""

from __future__ import annotations

import ctypes
import functools
import logging
import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from intertwiner.compiled.compiler import NoCompiler
from intertwiner.compiled.objects import build
from intertwiner.errors import IntertwinerError, KernelFallback

__all__ = ["Library", "call", "forget", "load", "try_load"]

Library = ctypes.CDLL

_log = logging.getLogger(__name__)
_lock = threading.Lock()
_tried: dict[str, Library | None] = {}
_without_compiler: set[str] = set()


@functools.cache
def load(path: Path) -> Library:
    """The shared object at `path`, loaded once. Raises `OSError` where it cannot be."""
    return ctypes.CDLL(str(path))


def try_load(
    name: str,
    units: Callable[[], Mapping[str, str]],
    *,
    flags: Sequence[str] = (),
    headers: Callable[[], Mapping[str, str]] = dict,
    instead: str = "plain torch",
) -> Library | None:
    """The library of `units()`, built where it must be; None where it cannot be had.

    name: stands for these sources and flags in this process, so it begins with the plugin's name.
    units, flags, headers: as `build` takes them; sources are asked for once.
    instead: what serves in its place, for the warning.

    The first failure of each name is a `KernelFallback` with the compiler's last lines; that there
    is no compiler at all is said once for all names.
    """
    if name in _tried:
        return _tried[name]
    with _lock:
        if name not in _tried:
            try:
                _tried[name] = load(build(name, units(), flags=flags, headers=headers()))
            except (IntertwinerError, OSError) as error:
                _tried[name] = None
                _warn(name, instead, error)
        return _tried[name]


def _warn(name: str, instead: str, error: Exception) -> None:
    text = f"kernel {name} cannot be compiled, {instead} serves (slower)"
    if isinstance(error, NoCompiler):
        _without_compiler.add(name)
        if len(_without_compiler) > 1:
            _log.info("%s: %s", text, error)
            return
        text += ", and so it is with every other kernel in C++"
    warnings.warn(f"{text}: {error}", KernelFallback, stacklevel=4)


def forget() -> None:
    """Forgets which names were loaded and which failed: for tests, or a compiler just installed."""
    with _lock:
        _tried.clear()
        _without_compiler.clear()
        load.cache_clear()


def call(library: Library, name: str, *arguments: Any) -> None:
    """Runs the function `name`: tensors by address (None as null), int as int64, float as double.

    Objects of ctypes (`byref(...)`, arrays) are passed as pointers. The kinds of the first call
    stand for all later ones, so that a number that may be fractional is given as a float always.

    Raises `ValueError` for a tensor that is not contiguous or not in the processor's memory,
    `TypeError` for another number of arguments than the first call had.
    """
    function = getattr(library, name)
    kinds = function.argtypes
    if kinds is None:
        function.restype = None
        function.argtypes = kinds = [*map(_kind, arguments)]
    if len(kinds) != len(arguments):
        raise TypeError(f"{name} takes {len(kinds)} arguments, not {len(arguments)}")
    function(*map(_argument, arguments))


def _kind(value: Any) -> type[ctypes._SimpleCData[Any]]:
    if isinstance(value, int):
        return ctypes.c_int64
    return ctypes.c_double if isinstance(value, float) else ctypes.c_void_p


def _argument(value: Any) -> Any:
    if not hasattr(value, "data_ptr"):
        return value
    if not value.is_contiguous() or not value.is_cpu:
        raise ValueError(
            f"kernels take contiguous tensors on the CPU, not {value.stride()} on {value.device}"
        )
    return value.data_ptr()
