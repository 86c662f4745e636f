"""The recipes of this plugin."""

from __future__ import annotations

from typing import Final

from intertwiner.specs import RecipeSpec

__all__ = ["RECIPES"]

RECIPES: Final[tuple[RecipeSpec, ...]] = ()
