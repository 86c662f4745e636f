"""Settings of the networks. Nothing here imports torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Interval, Len

__all__ = [
    "BandLimit",
    "BasisKind",
    "CathCnnConfig",
    "CathConfig",
    "CnnConfig",
    "CountsConfig",
    "Head",
    "NetworkConfig",
    "PresetConfig",
    "PropensityCnnConfig",
    "PropensityConfig",
    "Shrec17Config",
    "TetrisCnnConfig",
    "TetrisConfig",
]

BasisKind = Literal["optimal", "shells", "solid"]
BandLimit = Literal["compromise", "conservative", "sfcnn"]
Head = Literal["mean", "shells", "flatten"]

Multiplicity = Annotated[int, Interval(ge=0, le=4096)]
FieldType = Annotated[tuple[Multiplicity, ...], Len(1, 9)]
Rate = Annotated[float, Interval(ge=0.0, lt=1.0)]
Width = Annotated[int, Ge(1)]


@dataclass(frozen=True, kw_only=True)
class PresetConfig:
    """A published network, or one of ours, by name.

    preset: which one; its layout and number of parameters are in `networks`.
    basis: radial profiles of the kernels: "optimal" for equivariance on the grid, "shells" of the
        paper, or "solid" harmonics times Gaussians.
    band_limit: of "shells". tau: largest relative equivariance error of an element of "optimal".
    smooth: low-pass filters before strides where the preset has them.
    grid: voxels along an edge; only `propensity_cnn` has weights for each of them.
    """

    preset: str = "propensity"
    basis: BasisKind = "optimal"
    band_limit: BandLimit = "compromise"
    tau: Annotated[float, Gt(0)] = 0.06
    smooth: bool = True
    grid: Annotated[int, Ge(1)] = 49


@dataclass(frozen=True, kw_only=True)
class TetrisConfig(PresetConfig):
    """The paper's network for Tetris, with its basis."""

    preset: str = "tetris"
    basis: BasisKind = "shells"


@dataclass(frozen=True, kw_only=True)
class CathConfig(PresetConfig):
    """The paper's network for CATH, with its basis."""

    preset: str = "cath"
    basis: BasisKind = "shells"


@dataclass(frozen=True, kw_only=True)
class Shrec17Config(PresetConfig):
    """The paper's network for SHREC17, with its basis and plain strides."""

    preset: str = "shrec17"
    basis: BasisKind = "shells"


@dataclass(frozen=True, kw_only=True)
class PropensityConfig(PresetConfig):
    """Ours for residues; preset "propensity_L" is twice as wide."""


@dataclass(frozen=True, kw_only=True)
class TetrisCnnConfig(PresetConfig):
    """The paper's baseline for Tetris."""

    preset: str = "tetris_cnn"


@dataclass(frozen=True, kw_only=True)
class CathCnnConfig(PresetConfig):
    """The paper's baseline for CATH; "cath_cnn_narrow" and "cath_cnn_wide" are the others."""

    preset: str = "cath_cnn"


@dataclass(frozen=True, kw_only=True)
class PropensityCnnConfig(PresetConfig):
    """The grid CNN of 2017; `grid` must be the side of the volumes."""

    preset: str = "propensity_cnn"


@dataclass(frozen=True, kw_only=True)
class NetworkConfig:
    """A stack of gated blocks of your own layout.

    fields: type of the features after each block, multiplicities of orders 0, 1, 2, ...; the last
        block is read out, so only its scalars count.
    sizes: of the kernels, in voxels, one for every block; strides: likewise.
    norm: normalisation of fields before every convolution; calibrated: its statistics are found
        once, from the training data, and not from every batch.
    smooth: low-pass filters before strides.
    head: "mean" of the last scalars over the grid, their means in "shells" about the centre, or
        "flatten": every voxel of the last grid apart, which is only right for volumes in a fixed
        local frame.
    shells: how many. inputs_join: the input's own means in shells join the head; with "flatten",
        those in cells too. standardise: batch norm, and half the dropout, before the head's layers.
    hidden: widths of the layers after it; dropout: before the last.
    """

    fields: Annotated[tuple[FieldType, ...], Len(1)] = ((8, 4, 2), (16, 8, 4), (32, 16, 8), (64,))
    sizes: Annotated[tuple[Width, ...], Len(1)] = (5, 5, 5, 5)
    strides: Annotated[tuple[Width, ...], Len(1)] = (2, 2, 1, 1)
    norm: bool = True
    calibrated: bool = False
    smooth: bool = True
    head: Head = "shells"
    shells: Annotated[int, Ge(1)] = 4
    inputs_join: bool = False
    standardise: bool = False
    hidden: tuple[Width, ...] = (128,)
    dropout: Rate = 0.0
    basis: BasisKind = "optimal"
    band_limit: BandLimit = "compromise"
    tau: Annotated[float, Gt(0)] = 0.06


@dataclass(frozen=True, kw_only=True)
class CnnConfig:
    """A plain CNN of your own layout: convolution, batch norm, ReLU, and the same heads.

    channels: after every block; the others as in
        `NetworkConfig`. turn: every training volume is turned by one of the 24 rotations of the
        grid, drawn anew in every step.
    """

    channels: Annotated[tuple[Width, ...], Len(1)] = (16, 32, 64, 64)
    sizes: Annotated[tuple[Width, ...], Len(1)] = (5, 5, 5, 5)
    strides: Annotated[tuple[Width, ...], Len(1)] = (2, 2, 1, 1)
    smooth: bool = True
    head: Head = "flatten"
    shells: Annotated[int, Ge(1)] = 4
    inputs_join: bool = False
    standardise: bool = False
    hidden: tuple[Width, ...] = (128,)
    dropout: Rate = 0.0
    turn: bool = False


@dataclass(frozen=True, kw_only=True)
class CountsConfig:
    """A perceptron on counts of atoms: the control that a network on volumes must beat.

    features: counts in "shells" about the residue, in "cells" of its frame, or "both".
    hidden: widths; none for a linear map. dropout: before the last layer; input_dropout: of counts.
    """

    features: Literal["shells", "cells", "both"] = "both"
    hidden: tuple[Width, ...] = (512,)
    dropout: Rate = 0.5
    input_dropout: Rate = 0.2
