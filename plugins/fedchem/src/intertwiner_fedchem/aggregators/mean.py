"""Federated averaging, and what all our rules share."""

from __future__ import annotations

import math
from collections.abc import Sequence

from intertwiner.federated import Aggregated, RoundContext, Update, weighted_mean
from intertwiner.federated.updates import Arrays, State

__all__ = ["FedAvg", "mean_metrics"]


class FedAvg:
    """theta <- sum_k p_k theta_k with p_k = n_k / sum n, in double precision and the order of the
    clients' names (McMahan et al. 2017, arXiv:1602.05629).
    """

    def __init__(self, config: object) -> None:
        self.config = config

    def init(self, arrays: Arrays) -> State:
        return {}

    def aggregate(
        self, updates: Sequence[Update], arrays: Arrays, state: State, context: RoundContext
    ) -> Aggregated:
        return Aggregated(weighted_mean(updates), state, mean_metrics(updates))


def mean_metrics(updates: Sequence[Update]) -> dict[str, float]:
    """The mean, by numbers of examples, of every number that all clients sent; loss and steps,
    which the report lists client by client, are left out.
    """
    ordered = sorted(updates, key=lambda update: update.client)
    total = sum(update.num_examples for update in ordered)
    shared = set.intersection(*(set(update.metrics) for update in ordered)) - {"loss", "steps"}
    return {
        name: math.fsum(u.metrics[name] * u.num_examples for u in ordered) / total
        for name in sorted(shared)
    }
