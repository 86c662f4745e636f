"""A trunk, a head of one's choice and a perceptron."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from intertwiner_steerable3d.errors import InvalidSetting
from intertwiner_steerable3d.layers.heads import Flatten, ShellPooling, SpatialMean, perceptron
from intertwiner_steerable3d.layers.low_pass import LowPass
from intertwiner_steerable3d.layers.normalization import FieldBatchNorm

__all__ = ["CustomNetwork", "cnn_trunk"]

CELLS: Final = 4
"""Cells along an edge of what a flattened grid is averaged to."""

INPUT_CELLS: Final = 6
INPUT_SHELLS: Final = 12
"""Cells and shells of the input's own means, where they join the head."""


class InputMeans(nn.Module):
    """log(1 + 20 m) of the input's means m in shells about the centre, and in cells if asked for.

    They count atoms, coarsely: what a network without convolutions would go by.
    """

    def __init__(self, channels: int, *, cells: bool) -> None:
        super().__init__()
        self.shells = ShellPooling(INPUT_SHELLS)
        self.cells = nn.AdaptiveAvgPool3d(INPUT_CELLS) if cells else None
        self.width = channels * (INPUT_SHELLS + (INPUT_CELLS**3 if cells else 0))

    def forward(self, x: Float[Tensor, "batch c x y z"]) -> Float[Tensor, "batch width"]:
        """Shells, then cells."""
        found = [self.shells(x)]
        if self.cells is not None:
            found.append(self.cells(x).flatten(1))
        return torch.log1p(20 * torch.cat(found, 1))


class CustomNetwork(nn.Module):
    """Volumes to rows: what the head reads of the trunk's last channels goes into a perceptron.

    head: `mean` over the grid, means in `shells`, or `flatten`: means in 4^3 cells, each apart.
    features: the trunk's last channels. channels: of the input whose own means join (see
    `InputMeans`), or 0. hidden: widths of the perceptron. standardise: batch norm before it,
    or, where `calibrated`, statistics that `layers.calibration` sets once.
    """

    def __init__(
        self,
        trunk: nn.Module,
        head: str,
        *,
        features: int,
        channels: int,
        outputs: int,
        shells: int,
        hidden: Sequence[int],
        dropout: float,
        standardise: bool = False,
        calibrated: bool = False,
    ) -> None:
        super().__init__()
        heads: dict[str, tuple[nn.Module, int]] = {
            "mean": (SpatialMean(), 1),
            "shells": (ShellPooling(shells), shells),
            "flatten": (nn.Sequential(nn.AdaptiveAvgPool3d(CELLS), Flatten()), CELLS**3),
        }
        if head not in heads:
            raise InvalidSetting(f"head {head!r}: use one of {', '.join(heads)}")
        self.trunk = trunk
        self.head, places = heads[head]
        width = features * places
        self.around: InputMeans | None = None
        if channels:
            self.around = InputMeans(channels, cells=head == "flatten")
            width += self.around.width
        layers = perceptron((width, *hidden, outputs), dropout=dropout)
        if standardise:
            norm = CalibratedRows(width) if calibrated else nn.BatchNorm1d(width)
            layers = nn.Sequential(norm, nn.Dropout(dropout / 2), layers)
        self.perceptron = layers

    def forward(self, x: Float[Tensor, "batch c x y z"]) -> Float[Tensor, "batch outputs"]:
        """One row a volume."""
        read = [self.head(self.trunk(x))]
        if self.around is not None:
            read.append(self.around(x))
        rows: Tensor = self.perceptron(torch.cat(read, 1))
        return rows


class CalibratedRows(nn.Module):
    """Columns to mean 0 and spread 1 by statistics that `layers.calibration` sets once."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = FieldBatchNorm((width,), epsilon=1e-8, frozen=True)

    def forward(self, rows: Float[Tensor, "batch width"]) -> Float[Tensor, "batch width"]:
        """The standardised rows."""
        found: Tensor = self.norm(rows[:, :, None, None, None])
        return found.flatten(1)


def cnn_trunk(
    widths: Sequence[int], sizes: Sequence[int], strides: Sequence[int], *, smooth: bool
) -> nn.Sequential:
    """Plain convolutions with batch norm and rectifiers, as `gated_stack` lays them out.

    Raises `InvalidSetting` where there are not as many sizes or strides as layers.
    """
    if not len(widths) - 1 == len(sizes) == len(strides):
        raise InvalidSetting(
            f"{len(widths) - 1} layers, {len(sizes)} kernel sizes, {len(strides)} strides: "
            "give one of each for every layer"
        )
    layers: list[nn.Module] = []
    for (before, after), size, stride in zip(pairwise(widths), sizes, strides, strict=True):
        own = 1 if smooth else stride
        layers.append(nn.Conv3d(before, after, size, own, size // 2, bias=False))
        if smooth and stride > 1:
            layers.append(LowPass(float(stride), stride))
        layers += [nn.BatchNorm3d(after), nn.ReLU()]
    return nn.Sequential(*layers)
