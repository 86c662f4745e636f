"""Experiments that one command runs again, beside every baseline at equal budget. No torch here."""

from __future__ import annotations

from collections.abc import Iterable

from intertwiner.specs import RecipeSpec
from intertwiner_gauge_mesh.recipes.advection import ADVECTION
from intertwiner_gauge_mesh.recipes.curvature import CURVATURE
from intertwiner_gauge_mesh.recipes.faust import FAUST
from intertwiner_gauge_mesh.recipes.rna import RNA

__all__ = ["recipes"]


def recipes() -> Iterable[RecipeSpec]:
    """All of them."""
    yield from (ADVECTION, CURVATURE, RNA, FAUST)
