"""Settings of the aggregators. Nothing here imports torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Gt, Le, Lt

__all__ = [
    "BulyanConfig",
    "FedAdagradConfig",
    "FedAdamConfig",
    "FedAvgConfig",
    "FedAvgMConfig",
    "FedMedianConfig",
    "FedNovaConfig",
    "FedTrimmedAvgConfig",
    "FedYogiConfig",
    "GeometricMedianConfig",
    "KrumConfig",
    "MultiKrumConfig",
    "QFedAvgConfig",
]

Positive = Annotated[float, Gt(0)]
Share = Annotated[float, Ge(0), Lt(1)]


@dataclass(frozen=True, kw_only=True)
class FedAvgConfig:
    """The mean weighted by numbers of examples has no settings."""


@dataclass(frozen=True, kw_only=True)
class FedAvgMConfig:
    """learning_rate, momentum: of the server."""

    learning_rate: Positive = 1.0
    momentum: Share = 0.9


@dataclass(frozen=True, kw_only=True)
class FedAdagradConfig:
    """learning_rate: of the server. tau: added to the root of the second moment."""

    learning_rate: Positive = 0.1
    tau: Positive = 1e-3


@dataclass(frozen=True, kw_only=True)
class FedAdamConfig:
    """learning_rate: of the server. beta_1, beta_2: memory of the two moments. tau: added to the
    root of the second.
    """

    learning_rate: Positive = 0.1
    beta_1: Share = 0.9
    beta_2: Share = 0.99
    tau: Positive = 1e-3


@dataclass(frozen=True, kw_only=True)
class FedYogiConfig(FedAdamConfig):
    """As FedAdam's, with a smaller rate."""

    learning_rate: Positive = 0.01


@dataclass(frozen=True, kw_only=True)
class FedMedianConfig:
    """The median has no settings."""


@dataclass(frozen=True, kw_only=True)
class FedTrimmedAvgConfig:
    """cut: share of the clients left out at each end, number by number."""

    cut: Annotated[float, Ge(0), Lt(0.5)] = 0.2


@dataclass(frozen=True, kw_only=True)
class KrumConfig:
    """malicious: how many clients may lie, f."""

    malicious: Annotated[int, Ge(0)] = 1


@dataclass(frozen=True, kw_only=True)
class MultiKrumConfig(KrumConfig):
    """selected: how many updates are averaged."""

    selected: Annotated[int, Ge(1)] = 2


@dataclass(frozen=True, kw_only=True)
class BulyanConfig(KrumConfig):
    """As Krum's."""


@dataclass(frozen=True, kw_only=True)
class QFedAvgConfig:
    """q: 0 is the plain mean, large values favour clients that lose most.
    client_learning_rate: 1 / L, the clients' rate of learning as the rule assumes it.
    """

    q: Annotated[float, Ge(0)] = 0.1
    client_learning_rate: Positive = 0.1


@dataclass(frozen=True, kw_only=True)
class GeometricMedianConfig:
    """iterations: of Weiszfeld's at most. tolerance: relative change at which they end."""

    iterations: Annotated[int, Ge(1)] = 50
    tolerance: Annotated[float, Gt(0), Le(1)] = 1e-6


@dataclass(frozen=True, kw_only=True)
class FedNovaConfig:
    """Normalised averaging has no settings."""
