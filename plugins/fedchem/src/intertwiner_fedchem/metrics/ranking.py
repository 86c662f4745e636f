"""Area under the receiver operating characteristic, by ranks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["MeanAuc", "auc", "mean_auc"]


@dataclass(frozen=True, slots=True)
class MeanAuc:
    """The mean over tasks with both classes; skipped: tasks of one class alone."""

    value: float
    tasks: int
    skipped: int


def auc(scores: NDArray[np.float64], truth: NDArray[np.float64]) -> float:
    """The chance that a positive scores above a negative, ties counting half (Mann-Whitney).

    truth: 1, 0, or NaN where missing. NaN when there is only one class.
    """
    known = np.isfinite(truth)
    scores, positive = scores[known], truth[known] > 0.5
    pairs = int(positive.sum()) * int((~positive).sum())
    if not pairs:
        return float("nan")
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    least = positive.sum() * (positive.sum() + 1) / 2
    return float((ranks[positive].sum() - least) / pairs)


def mean_auc(scores: NDArray[np.float64], truth: NDArray[np.float64]) -> MeanAuc:
    """scores, truth: [molecules, tasks]. The value is NaN when no task has both classes."""
    found = np.array([auc(*columns) for columns in zip(scores.T, truth.T, strict=True)])
    known = found[np.isfinite(found)]
    value = float(known.mean()) if len(known) else float("nan")
    return MeanAuc(value, len(known), len(found) - len(known))
