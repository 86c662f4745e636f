"""Averaging for clients that take unequal numbers of steps."""

from __future__ import annotations

from collections.abc import Sequence

from intertwiner.errors import ConfigError
from intertwiner.federated import Aggregated, RoundContext, Update, weighted_mean
from intertwiner.federated.settings import FederationConfig
from intertwiner.federated.updates import Arrays, State
from intertwiner.training.settings import TrainingConfig
from intertwiner_fedchem.aggregators.config import FedNovaConfig
from intertwiner_fedchem.aggregators.mean import mean_metrics

__all__ = ["FedNova"]


class FedNova:
    """theta <- theta - tau sum_k p_k (theta - theta_k) / tau_k with tau = sum_k p_k tau_k and tau_k
    the steps of client k (Wang et al. 2020, arXiv:2007.07481, for plain gradient descent).

    With equal numbers of steps it is FedAvg.
    """

    def __init__(self, config: FedNovaConfig) -> None:
        self.config = config

    def check(self, federation: FederationConfig, training: TrainingConfig) -> None:
        """Steps of an adaptive optimiser may not be divided out."""
        if federation.optimizer != "sgd" and federation.local_steps is None:
            raise ConfigError(
                f"fednova: clients of unequal numbers of steps with optimizer "
                f"{federation.optimizer}; use --federation.optimizer sgd, or equal steps with "
                "--federation.local_steps"
            )

    def init(self, arrays: Arrays) -> State:
        return {}

    def aggregate(
        self, updates: Sequence[Update], arrays: Arrays, state: State, context: RoundContext
    ) -> Aggregated:
        total = sum(update.num_examples for update in updates)
        shares = [update.num_examples / total for update in updates]
        steps = [update.metrics["steps"] for update in updates]
        effective = sum(share * taken for share, taken in zip(shares, steps, strict=True))
        weights = [share * effective / taken for share, taken in zip(shares, steps, strict=True)]
        rest = 1.0 - sum(weights)
        mean = weighted_mean(updates, weights)
        found = {
            name: (rest * arrays[name].double() + sum(weights) * mean[name].double()).to(
                arrays[name].dtype
            )
            for name in arrays
        }
        return Aggregated(found, state, mean_metrics(updates))
