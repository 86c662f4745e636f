"""Sums over clients that do not depend on luck: float64, in the order given, cast once."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from intertwiner.federated.updates import Arrays, Update

__all__ = ["weighted_mean"]


def weighted_mean(
    updates: Sequence[Update], weights: Sequence[float] | None = None
) -> dict[str, Tensor]:
    """sum_k w_k theta_k / sum_k w_k, array by array, in the arrays' own dtype.

    weights: by default the clients' numbers of examples, which makes it federated averaging
    (McMahan et al. 2017, arXiv:1602.05629).
    """
    ordered = sorted(zip(updates, weights or _examples(updates), strict=True), key=_client)
    total = sum(weight for _, weight in ordered)
    return {
        name: _mean([(u.arrays[name], w) for u, w in ordered], total) for name in _names(updates)
    }


def _examples(updates: Sequence[Update]) -> list[float]:
    return [float(update.num_examples) for update in updates]


def _client(pair: tuple[Update, float]) -> str:
    return pair[0].client


def _names(updates: Sequence[Update]) -> Arrays:
    return updates[0].arrays


def _mean(terms: Sequence[tuple[Tensor, float]], total: float) -> Tensor:
    first = terms[0][0]
    summed = torch.zeros(first.shape, dtype=torch.float64)
    for values, weight in terms:
        summed += values.to(torch.float64) * (weight / total)
    return summed.to(first.dtype)
