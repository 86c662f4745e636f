"""Shared objects loaded through ctypes: functions of raw pointers, no compiler headers of torch.

A function of the kernels takes pointers to contiguous tensors and 64-bit integers, and returns
nothing; ctypes releases the interpreter's lock while it runs.
"""

from __future__ import annotations

import ctypes
import functools
import threading
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path

from torch import Tensor

from intertwiner.errors import IntertwinerError
from intertwiner.kernels import KernelFallback
from intertwiner_equivariant_conv.kernels.compiled.build import build

__all__ = ["Library", "call", "load", "try_load"]

Library = ctypes.CDLL
_lock = threading.Lock()


@functools.cache
def load(path: Path) -> Library:
    """The shared object at `path`."""
    return ctypes.CDLL(str(path))


def call(library: Library, name: str, *arguments: Tensor | int | None) -> None:
    """Runs the function `name`: tensors are passed by address (None as null), numbers as int64.

    Raises `ValueError` for a tensor that is not contiguous or not in the processor's memory.
    """
    function = getattr(library, name)
    function.restype = None
    function(*map(_argument, arguments))


def _argument(value: Tensor | int | None) -> ctypes.c_void_p | ctypes.c_int64:
    if value is None:
        return ctypes.c_void_p(None)
    if isinstance(value, int):
        return ctypes.c_int64(value)
    if not value.is_contiguous() or value.device.type != "cpu":
        raise ValueError(f"kernels take contiguous tensors on the CPU, not {value.stride()}")
    return ctypes.c_void_p(value.data_ptr())


_failed: set[str] = set()


def try_load(
    name: str, units: Callable[[], Mapping[str, str]], instead: str = "the blocked kernel"
) -> Library | None:
    """The library of `units()`, built where it must be; None where it cannot be had.

    The first failure of each `name` warns with `KernelFallback`, with the compiler's last lines.
    instead: what serves in its place, for the warning.
    """
    with _lock:
        if name in _failed:
            return None
        try:
            return load(build(name, units()))
        except (IntertwinerError, OSError) as error:
            _failed.add(name)
            text = f"kernel {name} cannot be compiled, {instead} serves (slower): {error}"
            warnings.warn(text, KernelFallback, stacklevel=3)
            return None
