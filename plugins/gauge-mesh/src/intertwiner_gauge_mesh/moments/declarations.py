"""The networks of moments that this plugin brings. No torch here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from intertwiner.specs import ModelSpec

__all__ = ["moment_models"]

_PACKAGE: Final = "intertwiner_gauge_mesh.moments"
_TINY: Final[dict[str, Any]] = {
    "hidden": "6x0+6x1+6x2",
    "message": "4x0+4x1+4x2",
    "products": 1,
    "blocks": 1,
    "head": (16,),
}


def moment_models(plain: ModelSpec, carried: ModelSpec) -> Iterable[ModelSpec]:
    """As the two flat networks, from moments. plain: without fields; carried: of u and v."""
    for model, name, what in (
        (plain, "gem-moments", "the shape around a vertex"),
        (carried, "gem-field-moments", "shape and of a scalar u, with a vector v"),
    ):
        yield replace(
            model,
            name=name,
            summary=f"Products and gauge-equivariant convolutions of moments of {what}",
            target=f"{_PACKAGE}.network:build_network",
            config=f"{_PACKAGE}.config:MomentsConfig",
            tiny=_TINY,
        )
