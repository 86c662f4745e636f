"""Shared objects through ctypes: functions of raw pointers, 64-bit integers and doubles.

ctypes releases the interpreter's lock while a function runs.
"""

from __future__ import annotations

import ctypes
import functools
import warnings
from importlib import resources
from typing import Any

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
    if function.argtypes is None:
        function.restype, function.argtypes = None, [*map(_kind, arguments)]
    function(*map(_argument, arguments))


def _kind(value: Tensor | float | None) -> type[ctypes._SimpleCData[Any]]:
    if value is None or isinstance(value, Tensor):
        return ctypes.c_void_p
    return ctypes.c_int64 if isinstance(value, int) else ctypes.c_double


def _argument(value: Tensor | float | None) -> float | None:
    if not isinstance(value, Tensor):
        return value
    if not value.is_contiguous() or not value.is_cpu:
        raise ValueError(f"kernels take contiguous tensors on the CPU, not {value.stride()}")
    return value.data_ptr()
