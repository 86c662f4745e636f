"""The ordinary CNNs that the steerable networks are compared with."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from intertwiner_steerable3d.errors import InvalidSetting
from intertwiner_steerable3d.layers.heads import Flatten, SpatialMean, perceptron
from intertwiner_steerable3d.layers.low_pass import LowPass

__all__ = ["cath_cnn", "propensity_cnn", "tetris_cnn", "tiny_cnn"]


def tetris_cnn(channels: int, outputs: int, *, smooth: bool = True) -> nn.Sequential:
    """The published baseline of Tetris: as deep as `tetris`, 43, 144, 160 and 128 channels."""
    widths = (channels, 43, 144, 160, 128)
    layers: list[nn.Module] = [LowPass(2.0)]
    for before, after, stride in zip(widths, widths[1:], (1, 2, 2, 1), strict=False):
        layers.append(nn.Conv3d(before, after, 5, 1 if smooth else stride, 4))
        if smooth and stride > 1:
            layers.append(LowPass(float(stride), stride))
        layers += [nn.BatchNorm3d(after), nn.ReLU()]
    return nn.Sequential(*layers, SpatialMean(), perceptron((128, outputs), dropout=0.2))


def cath_cnn(channels: int, outputs: int, *, width: int = 32) -> nn.Sequential:
    """The published baseline of CATH: 34 layers of `width`, 2, 4 and 8 times as many channels."""
    layers: list[nn.Module] = [*_normalised(channels, width, 7), nn.ReLU()]
    before = width
    for stage, count in enumerate((3, 4, 6, 3)):
        for number in range(count):
            after = width * 2**stage
            stride = 2 if number == 0 and stage > 0 else 1
            layers.append(_PlainResidual(before, after, stride))
            before = after
    return nn.Sequential(*layers, SpatialMean(), perceptron((before, outputs)))


def propensity_cnn(channels: int, outputs: int, grid: int) -> nn.Sequential:
    """The grid CNN of Boomsma and Frellsen 2017, for residues in a local frame.

    Raises `InvalidSetting` for a grid below 39 voxels, which its valid convolutions use up.
    """
    layers: list[nn.Module] = [nn.Conv3d(channels, 16, 5, 2, 2), nn.ReLU(), nn.AvgPool3d(3, 1)]
    layers += [nn.Conv3d(16, 32, 3), nn.ReLU(), nn.AvgPool3d(3, 2)]
    layers += [nn.Conv3d(32, 64, 3), nn.ReLU(), nn.AvgPool3d(3, 1)]
    layers += [nn.Conv3d(64, 128, 3), nn.ReLU(), nn.AvgPool3d(3, 1, 1)]
    left = ((((grid + 1) // 2 - 4) - 3) // 2 + 1) - 6
    if left < 1:
        raise InvalidSetting(f"propensity_cnn on {grid} voxels: use 39 or more")
    dense = perceptron((128 * left**3, 2048, 2048, outputs), dropout=0.5)
    return nn.Sequential(*layers, Flatten(), dense)


def tiny_cnn(channels: int, outputs: int) -> nn.Sequential:
    """Two small layers, for tests."""
    layers = [nn.Conv3d(channels, 16, 3, 2), nn.ReLU(), nn.Conv3d(16, 16, 3, 2), nn.ReLU()]
    return nn.Sequential(*layers, SpatialMean(), perceptron((16, outputs)))


def _normalised(before: int, after: int, size: int) -> list[nn.Module]:
    norm = nn.BatchNorm3d(before, momentum=0.01)
    return [norm, nn.Conv3d(before, after, size, padding=size // 2, bias=False)]


class _PlainResidual(nn.Module):
    """Two normalised convolutions, a shortcut, a rectifier after the sum."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        pool = [nn.AvgPool3d(3, stride, 1)] if stride > 1 else []
        first = [*_normalised(before, after, 3), nn.ReLU(), *pool]
        self.chain = nn.Sequential(*first, *_normalised(after, after, 3))
        kept = before == after and stride == 1
        self.shortcut = nn.Sequential(*([] if kept else _normalised(before, after, 1)), *pool)

    def forward(self, x: Float[Tensor, "batch c x y z"]) -> Float[Tensor, "batch d x2 y2 z2"]:
        activated: Tensor = torch.relu(self.chain(x) + self.shortcut(x))
        return activated
