"""Kernel ridge regression with a Gaussian kernel, its two settings chosen by group folds.

    f(x) = mean(y) + sum_n c_n exp(-(g / F) |x - x_n|^2),   (K + a I) c = y - mean(y)

with F the number of features that vary. No group is ever in both parts of a fold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import torch
from jaxtyping import Float, Int
from torch import Tensor

__all__ = ["RidgeFit", "Standard", "fit_ridge", "group_folds"]

FOLDS = 4
FEWEST_GROUPS = 8
USUAL = (1.0, 0.1)
"""(ridge, width) where there are too few groups to choose."""


@dataclass(frozen=True, slots=True)
class Standard:
    """Centre and inverse spread of every feature; spread 0 for one that does not vary."""

    mean: Float[Tensor, " features"]
    inverse: Float[Tensor, " features"]

    @classmethod
    def of(cls, x: Float[Tensor, "records features"]) -> Standard:
        spread = x.std(0, correction=0)
        varies = spread > 1e-9
        return cls(x.mean(0), torch.where(varies, 1 / spread.where(varies, 1.0), 0.0))

    def __call__(self, x: Tensor, limit: float) -> Tensor:
        """Standardised and clipped at `limit` deviations."""
        return ((x - self.mean) * self.inverse).clamp(-limit, limit)


@dataclass(frozen=True, slots=True)
class RidgeFit:
    """Coefficients [records, outputs], mean [outputs], and the settings chosen."""

    coefficients: Float[Tensor, "records outputs"]
    mean: Float[Tensor, " outputs"]
    ridge: float
    width: float


def group_folds(groups: Int[Tensor, " records"], folds: int, seed: int = 0) -> Int[Tensor, " r"]:
    """The fold of every record: groups in random order, each to the smallest fold so far."""
    labels, group, counts = groups.unique(return_inverse=True, return_counts=True)
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
    sizes = torch.zeros(folds, dtype=torch.long)
    fold_of = torch.zeros(len(labels), dtype=torch.long)
    for number in order.tolist():
        fold_of[number] = sizes.argmin()
        sizes[fold_of[number]] += counts[number]
    return fold_of[group]


def fit_ridge(
    x: Float[Tensor, "records features"],
    y: Float[Tensor, "records outputs"],
    groups: Int[Tensor, " records"],
    ridges: Sequence[float],
    widths: Sequence[float],
) -> RidgeFit:
    """A fit in double precision on standardised features."""
    x, y = x.double(), y.double()
    square = torch.cdist(x, x).square() / max(1, int((x.std(0, correction=0) > 0).sum()))
    ridge, width = _choose(square, y, groups, ridges, widths)
    mean, coefficients = _solve(torch.exp(-width * square), y, ridge)
    return RidgeFit(coefficients, mean, ridge, width)


def _choose(
    square: Tensor, y: Tensor, groups: Tensor, ridges: Sequence[float], widths: Sequence[float]
) -> tuple[float, float]:
    if len(groups.unique()) < FEWEST_GROUPS:
        return USUAL
    folds = group_folds(groups, FOLDS)
    errors = {
        (ridge, width): sum(_fold_error(kernel, y, folds == fold, ridge) for fold in range(FOLDS))
        for width, kernel in ((width, torch.exp(-width * square)) for width in widths)
        for ridge in ridges
    }
    return min(product(ridges, widths), key=lambda setting: errors[setting])


def _fold_error(kernel: Tensor, y: Tensor, held: Tensor, ridge: float) -> float:
    kept = ~held
    mean, coefficients = _solve(kernel[kept][:, kept], y[kept], ridge)
    predicted = mean + kernel[held][:, kept] @ coefficients
    return float((predicted - y[held]).square().sum())


def _solve(kernel: Tensor, y: Tensor, ridge: float) -> tuple[Tensor, Tensor]:
    mean = y.mean(0)
    system = kernel + ridge * torch.eye(len(kernel), dtype=kernel.dtype)
    factor = torch.linalg.cholesky(system)
    return mean, torch.cholesky_solve(y - mean, factor)
