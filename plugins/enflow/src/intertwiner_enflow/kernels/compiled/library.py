"""The compiled program of one kind of network, loaded through ctypes; None where it cannot be had.

A function of the program takes pointers to contiguous tensors; ctypes releases the interpreter's
lock while it runs.
"""

from __future__ import annotations

import ctypes
import functools
import threading
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from intertwiner.errors import IntertwinerError
from intertwiner.kernels import KernelFallback
from intertwiner_enflow.kernels.compiled.build import build, vector_bytes

__all__ = ["Kind", "Shape", "call", "load", "pointers"]

_REALS: Final = {torch.float32: "float", torch.float64: "double"}
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Kind:
    """What a program is compiled for."""

    dtype: torch.dtype
    dimension: int
    features: int
    attention: bool
    bounded: bool
    initial_distances: bool

    @property
    def name(self) -> str:
        marks = f"{self.attention:d}{self.bounded:d}{self.initial_distances:d}"
        return f"{_REALS[self.dtype]}-{self.dimension}d-{self.features}-{marks}"

    def settings(self) -> dict[str, str | int]:
        return {
            "REAL": _REALS[self.dtype],
            "BYTES": vector_bytes(),
            "DIMENSION": self.dimension,
            "FEATURES": self.features,
            "ATTENTION": int(self.attention),
            "BOUNDED": int(self.bounded),
            "INITIAL": int(self.initial_distances),
        }


class Shape(ctypes.Structure):
    """Sizes that every function of the program is told first."""

    _fields_ = (
        ("batch", ctypes.c_int64),
        ("n", ctypes.c_int64),
        ("layers", ctypes.c_int64),
        ("shared", ctypes.c_int64),
        ("features", ctypes.c_int64),
    )


def load(kind: Kind) -> ctypes.CDLL | None:
    """The program for `kind`, compiled where it must be.

    None for widths that are no multiple of 8, dtypes other than float32 and float64, and (after
    one warning, `KernelFallback`) where it cannot be compiled.
    """
    if kind.features % 8 or kind.dtype not in _REALS:
        return None
    with _lock:
        return _load(kind)


@functools.cache
def _load(kind: Kind) -> ctypes.CDLL | None:
    try:
        library = ctypes.CDLL(str(build(kind.name, kind.settings())))
    except (IntertwinerError, OSError) as error:
        text = f"network {kind.name} cannot be compiled, torch serves (slower): {error}"
        warnings.warn(text, KernelFallback, stacklevel=4)
        return None
    library.memory_size.restype = ctypes.c_int64
    return library


def pointers(weights: Sequence[Tensor | None]) -> ctypes.Array[ctypes.c_void_p]:
    """An array of addresses; None is null."""
    addresses = [None if tensor is None else tensor.data_ptr() for tensor in weights]
    return (ctypes.c_void_p * len(addresses))(*addresses)


def call(
    library: ctypes.CDLL,
    name: str,
    shape: Shape,
    weights: ctypes.Array[ctypes.c_void_p],
    bound: float,
    *arguments: Tensor | int | None,
) -> None:
    """Runs the function `name` on contiguous tensors (None as null) and whole numbers."""
    function = getattr(library, name)
    function.restype = None
    given = [_argument(value) for value in arguments]
    function(ctypes.byref(shape), weights, ctypes.byref(ctypes.c_double(bound)), *given)


def _argument(value: Tensor | int | None) -> ctypes.c_void_p | ctypes.c_int64:
    if value is None:
        return ctypes.c_void_p(None)
    if isinstance(value, int):
        return ctypes.c_int64(value)
    if not value.is_contiguous() or value.device.type != "cpu":
        raise ValueError(f"the program takes contiguous tensors on the CPU, not {value.stride()}")
    return ctypes.c_void_p(value.data_ptr())
