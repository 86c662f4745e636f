"""Settings of the readers. Nothing here imports torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge

__all__ = ["MeshReadConfig"]


@dataclass(frozen=True, kw_only=True)
class MeshReadConfig:
    """What a reader of meshes does with what is not a plain triangle.

    polygons: faces of more than three corners are split into triangles around their first
        corner, or an error.
    unreferenced: vertices of no face are kept, or dropped.
    max_bytes: larger files are refused before they are read.
    """

    polygons: Literal["split", "stop"] = "split"
    unreferenced: Literal["keep", "drop"] = "keep"
    max_bytes: Annotated[int, Ge(1)] = 512 * 1024 * 1024
