"""Rules that join clients' updates. Their mathematics is tested once federation is in the core."""

from __future__ import annotations

from intertwiner.conformance.findings import Finding, NotCovered
from intertwiner.specs import AggregatorSpec

__all__ = ["aggregator"]


def aggregator(spec: AggregatorSpec) -> list[Finding]:
    """Raises `NotCovered`: what an aggregator is called with is not settled yet."""
    raise NotCovered("no test of aggregators (client order, convexity) is written yet")
