"""The compiled source, for the registers of this processor."""

from __future__ import annotations

from importlib import resources
from typing import Final

from intertwiner import compiled
from intertwiner.compiled import OPENMP, Library, vector_bytes

__all__ = ["lanes", "try_load"]

FLAGS: Final = (*OPENMP, "-Wno-psabi", "-Wno-unknown-pragmas")


def lanes() -> int:
    """Numbers of single precision in a register of this processor: 16, or 8."""
    return max(8, vector_bytes() // 4)


def try_load() -> Library | None:
    """The library, built where it must be; None where it cannot be had, said once in a warning."""
    flags = (*FLAGS, f"-DLANES={lanes()}")
    return compiled.try_load("gauge-mesh-aggregate", _source, flags=flags)


def _source() -> dict[str, str]:
    text = resources.files(__package__).joinpath("source.cpp").read_text(encoding="utf-8")
    return {"source": text}
