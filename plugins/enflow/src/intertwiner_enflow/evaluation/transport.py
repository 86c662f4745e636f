"""Distances between one-dimensional distributions: energies, and distances of pairs."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["pair_distances", "wasserstein"]


def wasserstein(first: Float[Tensor, " samples"], second: Float[Tensor, " others"]) -> float:
    """The 2-Wasserstein distance of two sets of numbers; values that are not finite are left out.

    In one dimension it is the root mean square difference of quantiles.
    """
    one, other = (_sorted_finite(values) for values in (first, second))
    count = max(len(one), len(other))
    places = (torch.arange(count, dtype=torch.float64) + 0.5) / count
    quantiles = (values[(places * len(values)).long()] for values in (one, other))
    left, right = quantiles
    return float((left - right).square().mean().sqrt())


def pair_distances(x: Float[Tensor, "batch particles dim"]) -> Float[Tensor, " pairs"]:
    """Distances of all pairs of all configurations."""
    count = x.shape[1]
    first, second = torch.triu_indices(count, count, 1, device=x.device)
    return (x[:, first] - x[:, second]).double().norm(dim=2).flatten()


def _sorted_finite(values: Float[Tensor, " samples"]) -> Float[Tensor, " finite"]:
    values = values.double()
    return values[torch.isfinite(values)].sort().values
