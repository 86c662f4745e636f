"""Settings: what a user may write in a file or as a flag. Nothing here imports torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Gt
from intertwiner.config import DataConfig


@dataclass(frozen=True, kw_only=True)
class PaiNNConfig:
    """channels: scalars, and as many vectors, of every atom; layers: rounds of messages;
    cutoff: atoms farther apart do not meet, angstrom; waves: radial functions of the distance.
    """

    channels: Annotated[int, Ge(1)] = 32
    layers: Annotated[int, Ge(1)] = 3
    cutoff: Annotated[float, Gt(0)] = 6.0
    waves: Annotated[int, Ge(1)] = 12


@dataclass(frozen=True, kw_only=True)
class IonsConfig(DataConfig):
    """count: how many clusters; spread: standard deviation of the positions, angstrom."""

    count: Annotated[int, Ge(10)] = 1000
    spread: Annotated[float, Gt(0)] = 2.0
