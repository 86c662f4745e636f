"""Figures of predicted affinities, pooled and within proteins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

__all__ = ["figures", "group_bootstrap", "kendall", "pearson", "rmse", "spearman", "within_groups"]

Values = NDArray[np.float64]
Numbers = NDArray[np.int64]
SMALLEST_GROUP = 10


def pearson(predicted: Values, truth: Values) -> float:
    """Correlation; 0 where either does not vary."""
    p, t = predicted - predicted.mean(), truth - truth.mean()
    size = float(np.sqrt((p @ p) * (t @ t)))
    return float(p @ t) / size if size > 1e-12 else 0.0


def spearman(predicted: Values, truth: Values) -> float:
    """Correlation of ranks, ties at their mean rank."""
    return pearson(_ranks(predicted), _ranks(truth))


def _ranks(values: Values) -> Values:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    mean_rank: Values = (last - (counts - 1) / 2.0)[inverse]
    return mean_rank


def kendall(predicted: Values, truth: Values) -> float:
    """Tau-b: pairs in the same order less those in the other, ties accounted for."""
    p = np.sign(predicted[:, None] - predicted[None])
    t = np.sign(truth[:, None] - truth[None])
    size = float(np.sqrt((p * p).sum() * (t * t).sum()))
    return float((p * t).sum()) / size if size else 0.0


def rmse(predicted: Values, truth: Values) -> float:
    return float(np.sqrt(((predicted - truth) ** 2).mean()))


def within_groups(
    predicted: Values, truth: Values, groups: Numbers, size: Values
) -> Mapping[str, float]:
    """Means over groups of at least ten: Pearson, Kendall, and Kendall of what is left of both
    after a straight line through the number of heavy atoms."""
    rows = list(_large(groups))
    if not rows:
        return {"within R": np.nan, "within tau": np.nan, "within tau beyond size": np.nan}
    p = [predicted[row] for row in rows]
    t = [truth[row] for row in rows]
    rest = [
        kendall(_residual(a, size[row]), _residual(b, size[row]))
        for a, b, row in zip(p, t, rows, strict=True)
    ]
    return {
        "within R": float(np.mean([pearson(a, b) for a, b in zip(p, t, strict=True)])),
        "within tau": float(np.mean([kendall(a, b) for a, b in zip(p, t, strict=True)])),
        "within tau beyond size": float(np.mean(rest)),
    }


def _large(groups: Numbers) -> Iterator[Numbers]:
    for group in np.unique(groups):
        rows = np.flatnonzero(groups == group)
        if len(rows) >= SMALLEST_GROUP:
            yield rows


def _residual(values: Values, size: Values) -> Values:
    """What a straight line through `size` leaves; rounded, so that exact fits tie."""
    design = np.stack([size, np.ones_like(size)], 1)
    slope = np.linalg.lstsq(design, values, rcond=None)[0]
    left: Values = np.round(values - design @ slope, 9)
    return left


def figures(predicted: Values, truth: Values, groups: Numbers, size: Values) -> dict[str, float]:
    """Everything of one set of predictions, in the unit of the labels.

    "R2" is the squared correlation (what the paper calls R^2), "determination" is
    1 - residual / total.
    """
    r = pearson(predicted, truth)
    total = ((truth - truth.mean()) ** 2).sum()
    return {
        "R": r,
        "rho": spearman(predicted, truth),
        "RMSE": rmse(predicted, truth),
        "MAE": float(np.abs(predicted - truth).mean()),
        "R2": r * r,
        "determination": 1 - float(((predicted - truth) ** 2).sum() / total),
        **within_groups(predicted, truth, groups, size),
    }


def group_bootstrap(
    predicted: Values, truth: Values, groups: Numbers, samples: int = 500, seed: int = 0
) -> tuple[float, float]:
    """The middle 95 % of R when whole groups are drawn with replacement."""
    generator = np.random.default_rng(seed)
    rows = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    found = []
    for _ in range(samples):
        drawn = generator.integers(0, len(rows), len(rows))
        chosen = np.concatenate([rows[number] for number in drawn])
        found.append(pearson(predicted[chosen], truth[chosen]))
    low, high = np.quantile(found, [0.025, 0.975])
    return float(low), float(high)
