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

__all__ = ["CustomNetwork", "cnn_trunk"]

CELLS: Final = 4
"""Cells along an edge of what a flattened grid is averaged to."""


class CustomNetwork(nn.Module):
    """Volumes to rows: what the head reads of the trunk's last channels goes into a perceptron.

    head: `mean` over the grid, means in `shells`, or `flatten`: means in 4^3 cells, each apart.
    features: the trunk's last channels. channels: of the input whose own means in shells join, or
    0. hidden: widths of the perceptron.
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
        self.around = ShellPooling(2 * shells) if channels else None
        width = features * places + channels * 2 * shells
        self.perceptron = perceptron((width, *hidden, outputs), dropout=dropout)

    def forward(self, x: Float[Tensor, "batch c x y z"]) -> Float[Tensor, "batch outputs"]:
        """One row a volume."""
        read = [self.head(self.trunk(x))]
        if self.around is not None:
            read.append(self.around(x))
        rows: Tensor = self.perceptron(torch.cat(read, 1))
        return rows


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
