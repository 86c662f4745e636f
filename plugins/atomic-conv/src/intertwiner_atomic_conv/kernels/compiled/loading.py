"""Shared objects through ctypes: functions of raw pointers, 64-bit integers and doubles.

ctypes releases the interpreter's lock while a function runs.
"""

from __future__ import annotations

import ctypes
import functools
import warnings
from importlib import resources

from torch import Tensor

from intertwiner.errors import IntertwinerError
from intertwiner.kernels import KernelFallback
from intertwiner_atomic_conv.kernels.compiled.build import build

__all__ = ["call", "library"]


@functools.cache
def library(name: str) -> ctypes.CDLL | None:
    """The compiled `name.cpp` of this folder; None, after one warning, where it cannot be had."""
    source = resources.files(__package__).joinpath(f"{name}.cpp").read_text(encoding="utf-8")
    try:
        return ctypes.CDLL(str(build(name, source)))
    except (IntertwinerError, OSError) as error:
        text = f"kernel {name} cannot be compiled, plain torch serves (slower): {error}"
        warnings.warn(text, KernelFallback, stacklevel=3)
        return None


def call(loaded: ctypes.CDLL, name: str, *arguments: Tensor | float | None) -> None:
    """Runs `name`: tensors are passed by address (None as null), whole numbers as int64.

    Raises `ValueError` for a tensor that is not contiguous or not in the processor's memory.
    """
    function = getattr(loaded, name)
    function.restype = None
    function(*map(_argument, arguments))


def _argument(value: Tensor | float | None) -> ctypes.c_void_p | ctypes.c_int64 | ctypes.c_double:
    if value is None:
        return ctypes.c_void_p(None)
    if isinstance(value, int):
        return ctypes.c_int64(value)
    if isinstance(value, float):
        return ctypes.c_double(value)
    if not value.is_contiguous() or value.device.type != "cpu":
        raise ValueError(f"kernels take contiguous tensors on the CPU, not {value.stride()}")
    return ctypes.c_void_p(value.data_ptr())
