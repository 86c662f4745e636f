"""Root mean square error over the labels that are there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["mean_rmse"]


def mean_rmse(predicted: NDArray[np.float64], truth: NDArray[np.float64]) -> float:
    """[molecules, tasks], NaN where missing: the mean over tasks that have a label, in their unit
    (NaN where none has).
    """
    known = np.isfinite(truth)
    squares = np.where(known, (predicted - np.nan_to_num(truth)) ** 2, 0.0).sum(0)
    counts = known.sum(0)
    roots = np.sqrt(squares[counts > 0] / counts[counts > 0])
    return float(roots.mean()) if len(roots) else float("nan")
