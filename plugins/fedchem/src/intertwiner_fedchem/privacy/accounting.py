"""What repeated Gaussian releases give away, by Renyi differential privacy.

A release with noise z has Renyi divergence alpha / (2 z^2) of every order alpha > 1; divergences of
releases add up (Mironov 2017, arXiv:1702.07476), and become (epsilon, delta) by the conversion of
Canonne, Kamath and Steinke 2020 (arXiv:2004.00010, proposition 12). Clients count as always asked:
nothing is gained from drawing a share of them.
"""

from __future__ import annotations

import math
from typing import Final

__all__ = ["epsilon_of", "releases_within"]

ORDERS: Final = (*(1 + step / 20 for step in range(1, 200)), *range(11, 512))


def epsilon_of(noise: float, releases: int, delta: float) -> float:
    """The epsilon of so many releases at `delta`; infinite without noise, 0 without a release."""
    if not releases:
        return 0.0
    if not noise:
        return math.inf
    return max(0.0, min(_epsilon(order, noise, releases, delta) for order in ORDERS))


def _epsilon(order: float, noise: float, releases: int, delta: float) -> float:
    divergence = releases * order / (2 * noise**2)
    return divergence + math.log1p(-1 / order) - math.log(delta * order) / (order - 1)


def releases_within(noise: float, most: float, delta: float) -> int:
    """How many releases spend no more than epsilon `most`; at most 2^20."""
    low, high = 0, 1 << 20
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (
            (middle, high) if epsilon_of(noise, middle, delta) <= most else (low, middle - 1)
        )
    return low
