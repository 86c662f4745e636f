"""Whether a flow visits every mode, and each as often as it should."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor

from intertwiner_enflow.targets import DoubleWell, Target

__all__ = ["ModeCoverage", "coordination", "mode_coverage", "radius_of_gyration", "short_pairs"]

_BOND: Final = 1.5
_BINS: Final = 40
Feature = Callable[[Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class ModeCoverage:
    """Total variation (0 to 1) between a flow's histogram of `feature` and the true one.

    raw: samples as they come; reweighted: with importance weights; floor: of two true halves.
    """

    feature: str
    raw: float
    reweighted: float
    floor: float


def mode_coverage(
    target: Target,
    samples: Float[Tensor, "samples particles dim"],
    weights: Float[Tensor, " samples"],
    truth: Float[Tensor, "others particles dim"],
) -> list[ModeCoverage]:
    """DW4: the number of short pairs, against the exact probabilities. Clusters: the radius of
    gyration and the mean number of neighbours, against true samples.

    weights: importance weights of `samples`, adding up to 1.
    """
    if isinstance(target, DoubleWell):
        exact = torch.tensor(target.short_counts, dtype=torch.float64)
        edges = torch.arange(len(exact) + 1) - 0.5
        return [_coverage("short pairs", short_pairs, edges, samples, weights, truth, exact)]
    return [
        _coverage(name, feature, _edges(feature(truth)), samples, weights, truth)
        for name, feature in (
            ("radius of gyration", radius_of_gyration),
            ("coordination", coordination),
        )
    ]


def short_pairs(x: Float[Tensor, "batch particles dim"]) -> Float[Tensor, " batch"]:
    """How many pairs of a DW4 configuration have d < 4."""
    return (_distances(x) < 4.0).sum(dim=1).double()


def radius_of_gyration(x: Float[Tensor, "batch particles dim"]) -> Float[Tensor, " batch"]:
    """sqrt(mean_i |x_i - mean|^2)."""
    middle = x.double() - x.double().mean(dim=1, keepdim=True)
    return middle.square().sum(dim=2).mean(dim=1).sqrt()


def coordination(x: Float[Tensor, "batch particles dim"]) -> Float[Tensor, " batch"]:
    """Neighbours nearer than 1.5 pair minima, mean over particles."""
    return 2.0 * (_distances(x) < _BOND).sum(dim=1).double() / x.shape[1]


def _distances(x: Tensor) -> Float[Tensor, "batch pairs"]:
    count = x.shape[1]
    first, second = torch.triu_indices(count, count, 1, device=x.device)
    return (x[:, first] - x[:, second]).double().norm(dim=2)


def _coverage(
    name: str,
    feature: Feature,
    edges: Tensor,
    samples: Tensor,
    weights: Tensor,
    truth: Tensor,
    exact: Tensor | None = None,
) -> ModeCoverage:
    seen, true = feature(samples), feature(truth)
    half = len(true) // 2
    reference = exact if exact is not None else _shares(true, edges)
    return ModeCoverage(
        name,
        raw=_variation(_shares(seen, edges), reference),
        reweighted=_variation(_shares(seen, edges, weights), reference),
        floor=_variation(_shares(true[:half], edges), _shares(true[half:], edges)),
    )


def _edges(values: Tensor) -> Tensor:
    return torch.linspace(float(values.min()), float(values.max()), _BINS + 1)


def _shares(values: Tensor, edges: Tensor, weights: Tensor | None = None) -> Tensor:
    """The share of `values` in every bin; those outside count in the nearest one."""
    if weights is None:
        weights = torch.full_like(values, 1.0 / len(values))
    bins = torch.bucketize(values, edges[1:-1].to(values), right=True)
    return torch.zeros(len(edges) - 1, dtype=torch.float64).index_add_(0, bins, weights.double())


def _variation(first: Tensor, second: Tensor) -> float:
    return 0.5 * float((first - second).abs().sum())
