"""How different clients are: total variation of their groups, beside what equal clients have.

    TV = mean over clients of 1/2 sum over groups |p_client - p_all|,   excess = (TV - f) / (1 - f)

with the floor f the TV of clients of the same sizes drawn at random.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Heterogeneity", "heterogeneity", "histogram", "total_variation"]

DRAWS = 20
PRACTICALLY_EQUAL = 0.1
Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Heterogeneity:
    """sizes, label_means and label_distances (Wasserstein-1 to all labels, in the label's unit):
    one for each client; variation, floor: as above.
    """

    sizes: tuple[int, ...]
    variation: float
    floor: float
    label_means: tuple[float, ...]
    label_distances: tuple[float, ...]

    @property
    def excess(self) -> float:
        """0 where clients differ no more than at random, 1 where they have no group in common."""
        return (self.variation - self.floor) / (1 - self.floor) if self.floor < 1 else 0.0

    def __str__(self) -> str:
        sizes = ", ".join(map(str, self.sizes))
        means = ", ".join(f"{mean:.2f}" for mean in self.label_means)
        said = (
            f"clients of {sizes}; total variation {self.variation:.3f}, at random "
            f"{self.floor:.3f}, excess {self.excess:.2f}; label means {means}"
        )
        return f"{said}; practically equal" if self.excess < PRACTICALLY_EQUAL else said


def histogram(groups: Indices, parts: Sequence[Indices]) -> NDArray[np.float64]:
    """Share of each group in each client's records: [clients, groups], rows add up to 1."""
    group_of = np.unique(groups, return_inverse=True)[1]
    count = int(group_of.max()) + 1
    counts = [np.bincount(group_of[part], minlength=count) for part in parts]
    return np.stack([row / max(row.sum(), 1) for row in counts])


def total_variation(groups: Indices, parts: Sequence[Indices]) -> float:
    """The mean over clients of the distance from the histogram of all."""
    everything = histogram(groups, [np.concatenate(parts)])
    return float(np.abs(histogram(groups, parts) - everything).sum(1).mean() / 2)


def heterogeneity(
    groups: Indices, parts: Sequence[Indices], labels: NDArray[np.float64], seed: int = 0
) -> Heterogeneity:
    """groups, labels: of all training records (labels may be NaN); parts: record numbers of every
    client.
    """
    sizes = tuple(map(len, parts))
    random = np.random.default_rng(seed)
    everything = np.concatenate(parts)
    cuts = np.cumsum(sizes)[:-1]
    draws = [np.split(random.permutation(everything), cuts) for _ in range(DRAWS)]
    known = [labels[part][np.isfinite(labels[part])] for part in parts]
    pooled = np.concatenate(known)
    return Heterogeneity(
        sizes=sizes,
        variation=total_variation(groups, parts),
        floor=float(np.mean([total_variation(groups, draw) for draw in draws])),
        label_means=tuple(float(part.mean()) if len(part) else float("nan") for part in known),
        label_distances=tuple(_wasserstein(part, pooled) for part in known),
    )


def _wasserstein(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """The area between two distribution functions."""
    if not len(one) or not len(other):
        return float("nan")
    places = np.sort(np.concatenate([one, other]))
    gap = _below(one, places) - _below(other, places)
    return float((np.abs(gap) * np.diff(places)).sum())


def _below(values: NDArray[np.float64], places: NDArray[np.float64]) -> NDArray[np.float64]:
    """The share of the values up to every place but the last."""
    return np.searchsorted(np.sort(values), places[:-1], "right") / len(values)
