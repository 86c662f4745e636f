"""Experiments that one command runs again, beside every control. No torch here."""

from __future__ import annotations

from collections.abc import Iterable

from intertwiner.specs import RecipeSpec
from intertwiner_steerable3d.recipes.propensity import PROPENSITY
from intertwiner_steerable3d.recipes.tetris import TETRIS

__all__ = ["recipes"]


def recipes() -> Iterable[RecipeSpec]:
    """All of them."""
    yield from (TETRIS, PROPENSITY)
