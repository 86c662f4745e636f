"""The small sets of samples that are installed with the package."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from jaxtyping import Float
from torch import Tensor

from intertwiner_enflow.datasets.store import unpacked
from intertwiner_enflow.targets import Target

__all__ = ["excerpt", "excerpt_file"]


def excerpt_file(target: Target) -> Path:
    """Where the excerpt of `target` lies."""
    return Path(str(files("intertwiner_enflow") / "data" / f"{target.name}.npz"))


def excerpt(target: Target) -> Float[Tensor, "frames N D"]:
    """All its frames: DW4 2,000, LJ13 1,000 and LJ55 100 of either convention.

    Raises `DataError` when the installed file is damaged.
    """
    return unpacked(excerpt_file(target), target)[0]
