"""The aggregators of this plugin."""

from __future__ import annotations

from typing import Final

from intertwiner.specs import AggregatorSpec

__all__ = ["AGGREGATORS"]

AGGREGATORS: Final[tuple[AggregatorSpec, ...]] = ()
