from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Lt

from intertwiner.config import DataConfig


@dataclass(frozen=True, kw_only=True)
class NetConfig:
    """channels: hidden width; dropout: share of hidden values dropped in training."""

    channels: Annotated[int, Ge(1)] = 8
    dropout: Annotated[float, Ge(0), Lt(1)] = 0.1


@dataclass(frozen=True, kw_only=True)
class PairsConfig(DataConfig):
    """count: how many records; poison: number of a record whose positions are huge."""

    count: Annotated[int, Ge(10)] = 60
    poison: int | None = None


@dataclass(frozen=True, kw_only=True)
class FlatConfig(DataConfig):
    """Particles in the plane."""


@dataclass(frozen=True, kw_only=True)
class NoSettings:
    """Nothing to set."""


@dataclass(frozen=True, kw_only=True)
class MomentumConfig:
    """beta: of the momentum; size: of the server's step."""

    beta: Annotated[float, Ge(0), Lt(1)] = 0.5
    size: Annotated[float, Ge(0)] = 1.0


@dataclass(frozen=True, kw_only=True)
class NearConfig:
    """mu: weight of the squared distance from the global weights."""

    mu: Annotated[float, Ge(0)] = 1.0
