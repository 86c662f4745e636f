"""The datasets of this plugin."""

from __future__ import annotations

from typing import Final

from intertwiner.specs import DatasetSpec

__all__ = ["DATASETS"]

DATASETS: Final[tuple[DatasetSpec, ...]] = ()
