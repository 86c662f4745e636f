"""Settings of the toys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge

from intertwiner.config import DataConfig


@dataclass(frozen=True, kw_only=True)
class DistanceNetConfig:
    """channels: features per atom. fault: what is wrong with the model, empty for nothing."""

    channels: Annotated[int, Ge(1)] = 8
    fault: str = ""


@dataclass(frozen=True, kw_only=True)
class DimersConfig(DataConfig):
    """Two atoms."""


@dataclass(kw_only=True)
class ThawedConfig:
    """Not frozen."""

    channels: int = 8


@dataclass(frozen=True, kw_only=True)
class NoDefaultConfig:
    """One setting without a default."""

    channels: int


@dataclass(frozen=True, kw_only=True)
class ForgetfulConfig:
    """A type that YAML gives back as another."""

    sizes: object = (1, 2)


@dataclass(frozen=True, kw_only=True)
class SurfaceNetConfig:
    """channels: features per vertex. fault: what is wrong with the model, empty for nothing."""

    channels: Annotated[int, Ge(1)] = 4
    fault: str = ""


@dataclass(frozen=True, kw_only=True)
class GaussianConfig:
    """fault: what is wrong with the model, empty for nothing."""

    fault: str = ""
