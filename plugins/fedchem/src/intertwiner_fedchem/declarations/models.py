"""The models of this plugin."""

from __future__ import annotations

from typing import Final

from intertwiner.specs import ModelSpec

__all__ = ["MODELS"]

MODELS: Final[tuple[ModelSpec, ...]] = ()
