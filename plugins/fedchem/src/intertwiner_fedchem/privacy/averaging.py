"""Federated averaging that hides whether a client took part."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from intertwiner.errors import ConfigError
from intertwiner.federated import Aggregated, RoundContext, Update
from intertwiner.federated.settings import FederationConfig
from intertwiner.federated.updates import Arrays, State
from intertwiner.training.settings import TrainingConfig
from intertwiner_fedchem.aggregators.geometric import flat, unflat
from intertwiner_fedchem.privacy.accounting import epsilon_of, releases_within
from intertwiner_fedchem.privacy.config import PrivateAvgConfig

__all__ = ["PrivateAvg", "clipped"]


class PrivateAvg:
    """theta <- theta + (sum_k clip(theta_k - theta, C) + z C N(0, 1)) / n, every client alike.

    Weights by numbers of examples would let one client exceed C / n, so there are none. The noise
    is drawn from run and round, as resuming to the bit needs: **whoever knows the seed of the run
    can take it off again**, so the seed must stay with the server (McMahan et al. 2018,
    arXiv:1710.06963).
    """

    def __init__(self, config: PrivateAvgConfig) -> None:
        self.config = config
        self.fewest = config.fewest

    def check(self, federation: FederationConfig, training: TrainingConfig) -> None:
        """Refuses runs that would spend more than the epsilon allowed."""
        most = self.config.max_epsilon
        if most is None:
            return
        spent = epsilon_of(self.config.noise, federation.rounds, self.config.delta)
        if spent > most:
            rounds = releases_within(self.config.noise, most, self.config.delta)
            raise ConfigError(
                f"aggregator.max_epsilon: {federation.rounds} rounds with noise "
                f"{self.config.noise} spend epsilon {spent:.3g} at delta {self.config.delta}, at "
                f"most {most} is allowed; take {rounds} rounds or more noise"
            )

    def init(self, arrays: Arrays) -> State:
        return {"releases": 0}

    def aggregate(
        self, updates: Sequence[Update], arrays: Arrays, state: State, context: RoundContext
    ) -> Aggregated:
        ordered = sorted(updates, key=lambda update: update.client)
        present, most = flat(arrays), self.config.clip
        away = [flat(update.arrays) - present for update in ordered]
        total = torch.zeros_like(present)
        for change in away:
            total += clipped(change, most)
        if self.config.noise:
            drawn = torch.randn(total.shape, generator=context.generator, dtype=total.dtype)
            total += self.config.noise * most * drawn
        releases = int(state["releases"]) + 1
        figures = {
            "epsilon": epsilon_of(self.config.noise, releases, self.config.delta),
            "clipped": sum(float(change.norm()) > most for change in away) / len(away),
        }
        new = unflat(present + total / len(ordered), arrays)
        return Aggregated(new, {"releases": releases}, figures)


def clipped(change: Float[Tensor, " numbers"], most: float) -> Float[Tensor, " numbers"]:
    """The change, shortened to length `most` where it is longer."""
    return change * min(1.0, most / (float(change.norm()) or most))
