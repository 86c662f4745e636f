"""The shared object through ctypes: functions of raw pointers, no headers of torch."""

from __future__ import annotations

import ctypes
import functools
import threading
import warnings

from torch import Tensor

from intertwiner.errors import IntertwinerError
from intertwiner.kernels import KernelFallback
from intertwiner_gauge_mesh.kernels.compiled.build import build

__all__ = ["Library", "call", "try_load"]

Library = ctypes.CDLL
_lock = threading.Lock()


def try_load() -> Library | None:
    """The library, built where it must be; None where it cannot be had, said once in a warning."""
    with _lock:
        return _load()


@functools.cache
def _load() -> Library | None:
    try:
        return ctypes.CDLL(str(build()))
    except (IntertwinerError, OSError) as error:
        text = f"the C++ gauge kernel cannot be had, plain torch serves (slower): {error}"
        warnings.warn(text, KernelFallback, stacklevel=4)
        return None


def call(library: Library, name: str, *arguments: Tensor | int | None) -> None:
    """Runs a function: tensors are passed by address (None as null), numbers as 64-bit integers.

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
        raise ValueError(f"the kernel takes contiguous tensors on the CPU, not {value.stride()}")
    return ctypes.c_void_p(value.data_ptr())
