"""Settings of the clients' losses. Nothing here imports torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Gt

__all__ = [
    "FLITConfig",
    "FLITPlusConfig",
    "FedFocalConfig",
    "FedProxConfig",
    "FedVATConfig",
    "MoonConfig",
]

Positive = Annotated[float, Gt(0)]
NotNegative = Annotated[float, Ge(0)]


@dataclass(frozen=True, kw_only=True)
class FedProxConfig:
    """mu: strength of the pull towards the global weights."""

    mu: NotNegative = 0.01


@dataclass(frozen=True, kw_only=True)
class MoonConfig:
    """mu: weight of the contrastive term. temperature: of its softmax."""

    mu: NotNegative = 1.0
    temperature: Positive = 0.5


@dataclass(frozen=True, kw_only=True)
class FedFocalConfig:
    """gamma: power of the factor; with 0 it is FedAvg.
    warm_up: rounds at the start that are plain; the released code of FLIT has one.
    """

    gamma: NotNegative = 1.0
    warm_up: Annotated[int, Ge(0)] = 1


@dataclass(frozen=True, kw_only=True)
class FLITConfig(FedFocalConfig):
    """As FedFocal's."""


@dataclass(frozen=True, kw_only=True)
class FedVATConfig:
    """xi: length of the trial step. epsilon: of the perturbation; by default 2.5 in a space of
    features and 0.05 in the unit of positions. warm_up: as FLIT's.
    """

    xi: Positive = 1e-3
    epsilon: NotNegative | None = None
    warm_up: Annotated[int, Ge(0)] = 1


@dataclass(frozen=True, kw_only=True)
class FLITPlusConfig(FedVATConfig):
    """gamma: power of the factor. smoothness: share of the adversarial loss in it (lambda of the
    paper). adversarial: weight of that loss beside the usual one (beta).
    """

    gamma: NotNegative = 1.0
    smoothness: NotNegative = 0.1
    adversarial: NotNegative = 1.0
