"""Settings of the datasets. Nothing here imports torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge

from intertwiner.config import DataConfig

__all__ = ["LennardJonesConfig", "ParticlesConfig", "SameSizeConfig"]


@dataclass(frozen=True, kw_only=True)
class ParticlesConfig(DataConfig):
    """Samples of a target.

    train, validation, test: how many. Training samples come from one run of the generator,
        validation and test samples from another with a seed of its own.
    seed: of the pair of runs; another one gives another, independent dataset.
    source: "generated" on first use and kept, or the small "excerpt" that is installed.
    """

    train: Annotated[int, Ge(1)] = 10_000
    validation: Annotated[int, Ge(1)] = 1_000
    test: Annotated[int, Ge(1)] = 4_000
    seed: Annotated[int, Ge(0)] = 0
    source: Literal["generated", "excerpt"] = "generated"


@dataclass(frozen=True, kw_only=True)
class LennardJonesConfig(ParticlesConfig):
    """Samples of Lennard-Jones clusters.

    pair: "half" counts every pair once, "double" twice. Both are in circulation under one name,
        so it must be said.
    """

    pair: Literal["half", "double"] | None = None


@dataclass(frozen=True, kw_only=True)
class SameSizeConfig(DataConfig):
    """Molecules of one size, taken from another installed dataset.

    of: id of a dataset of molecules, such as atoms/gfn2-small or atoms/qm9.
    atoms: in every molecule.
    """

    of: str = "atoms/gfn2-small"
    atoms: Annotated[int, Ge(2)] = 15
