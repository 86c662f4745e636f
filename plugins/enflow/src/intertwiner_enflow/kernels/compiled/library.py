"""The compiled program of one kind of network; None where it cannot be had."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Final

import torch
from torch import Tensor

from intertwiner import compiled
from intertwiner.compiled import Library, vector_bytes

__all__ = ["Kind", "Shape", "call", "load", "pointers"]

_REALS: Final = {torch.float32: "float", torch.float64: "double"}
FLAGS: Final = ("-Wno-psabi",)


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


def load(kind: Kind) -> Library | None:
    """The program for `kind`, compiled where it must be.

    None for widths that are no multiple of 8, dtypes other than float32 and float64, and (after
    one warning, `KernelFallback`) where it cannot be compiled.
    """
    if kind.features % 8 or kind.dtype not in _REALS:
        return None
    library = compiled.try_load(
        f"enflow-{kind.name}",
        functools.partial(_sources, ".cpp"),
        flags=_flags(kind),
        headers=functools.partial(_sources, ".hpp"),
        instead="torch",
    )
    if library is not None:
        library.memory_size.restype = ctypes.c_int64
    return library


@functools.cache
def _flags(kind: Kind) -> tuple[str, ...]:
    settings = kind.settings()
    wide = ("-mprefer-vector-width=512",) if settings["BYTES"] == 64 else ()
    return (*FLAGS, *wide, *(f"-D{key}={value}" for key, value in sorted(settings.items())))


def _sources(suffix: str) -> dict[str, str]:
    """The program's units by name, or its headers by file name."""
    folder = resources.files(__package__).joinpath("program")
    files = [item for item in folder.iterdir() if item.name.endswith(suffix)]
    texts = {item.name.removesuffix(".cpp"): item.read_text(encoding="utf-8") for item in files}
    return dict(sorted(texts.items()))


def pointers(weights: Sequence[Tensor | None]) -> ctypes.Array[ctypes.c_void_p]:
    """An array of addresses; None is null."""
    addresses = [None if tensor is None else tensor.data_ptr() for tensor in weights]
    return (ctypes.c_void_p * len(addresses))(*addresses)


def call(
    library: Library,
    name: str,
    shape: Shape,
    weights: ctypes.Array[ctypes.c_void_p],
    bound: float,
    *arguments: Tensor | int | None,
) -> None:
    """Runs the function `name` on contiguous tensors (None as null) and whole numbers."""
    given = ctypes.byref(shape), weights, ctypes.byref(ctypes.c_double(bound))
    compiled.call(library, name, *given, *arguments)
