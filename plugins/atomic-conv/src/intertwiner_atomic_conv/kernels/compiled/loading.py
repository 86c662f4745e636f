"""The sources of this folder as libraries, and how their functions are called."""

from __future__ import annotations

from functools import partial
from importlib import resources
from typing import Final

from intertwiner.compiled import OPENMP, Library, call, try_load

__all__ = ["call", "library"]

FLAGS: Final = (*OPENMP, "-fno-trapping-math")


def library(name: str) -> Library | None:
    """The compiled `name.cpp` of this folder; None, after one warning, where it cannot be had."""
    return try_load(f"atomic-conv-{name.replace('_', '-')}", partial(_source, name), flags=FLAGS)


def _source(name: str) -> dict[str, str]:
    folder = resources.files(__package__)
    return {name: folder.joinpath(f"{name}.cpp").read_text(encoding="utf-8")}
