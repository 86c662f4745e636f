"""Settings of the models and datasets. Nothing here imports torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Gt

from intertwiner.config import DataConfig

__all__ = ["BondsConfig", "GINConfig", "MPNNConfig", "MoleculeNetConfig", "SchNetConfig"]

Count = Annotated[int, Ge(1)]


@dataclass(frozen=True, kw_only=True)
class MPNNConfig:
    """The message passing network of the benchmark.

    width: of the states. edge_hidden: of the network that makes the matrices of the bonds.
    steps: of message passing. readout_steps, readout_layers: iterations of Set2Set and layers of
        its LSTM.
    messages: "colours" computes each distinct message and state once, "bonds" one message for each
        bond; the results are equal.
    standardise: outputs start at mean and spread of the training labels; the released code of the
        benchmark has it not.
    """

    width: Count = 64
    edge_hidden: Count = 16
    steps: Count = 3
    readout_steps: Count = 3
    readout_layers: Count = 3
    messages: Literal["colours", "bonds"] = "colours"
    standardise: bool = True


@dataclass(frozen=True, kw_only=True)
class GINConfig:
    """A graph isomorphism network. standardise: as the message passing network's."""

    width: Count = 128
    layers: Count = 5
    standardise: bool = True


@dataclass(frozen=True, kw_only=True)
class SchNetConfig:
    """SchNet with the benchmark's sizes. cutoff in angstrom; basis: how many Gaussians.

    standardise: as the message passing network's.
    """

    width: Annotated[int, Ge(2)] = 128
    blocks: Count = 6
    basis: Annotated[int, Ge(2)] = 50
    cutoff: Annotated[float, Gt(0)] = 10.0
    standardise: bool = True


@dataclass(frozen=True, kw_only=True)
class BondsConfig(DataConfig):
    """A set of molecules with three splits.

    split: "random" (rows of one molecule stay together), "scaffold" (all molecules of a scaffold
        stay together) or "official" (of the benchmark's released code, always the same).
    seed: of the first two.
    """

    seed: Annotated[int, Ge(0)] = 0


@dataclass(frozen=True, kw_only=True)
class MoleculeNetConfig(BondsConfig):
    """A MoleculeNet set in a file that the user brings.

    path: the file; by default the one in the data folder `fedchem/moleculenet`.
    failing: whether rows that are no molecules stop the reading or are dropped.
    """

    path: str = ""
    failing: Literal["stop", "drop"] = "stop"
