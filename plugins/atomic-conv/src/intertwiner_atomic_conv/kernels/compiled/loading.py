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
    full = f"atomic-conv-{name.replace('_', '-')}"
    return try_load(full, partial(_source, name), flags=FLAGS, headers=_headers)


def _source(name: str) -> dict[str, str]:
    return {name: _text(f"{name}.cpp")}


def _headers() -> dict[str, str]:
    return {"trigonometry.h": _text("trigonometry.h")}


def _text(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
