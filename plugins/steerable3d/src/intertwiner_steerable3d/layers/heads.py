"""From a volume of scalars to one row a sample."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from intertwiner_steerable3d.errors import InvalidSetting

__all__ = ["Flatten", "ShellPooling", "SpatialMean", "perceptron"]


class SpatialMean(nn.Module):
    """The mean over the grid of every channel."""

    def forward(self, x: Float[Tensor, "batch c x y z"]) -> Float[Tensor, "batch c"]:
        """One number a channel."""
        return x.mean((2, 3, 4))


class ShellPooling(nn.Module):
    """Means over shells around the centre of the grid: what a scalar is at which distance.

    Shell k has weight 1 at distance k * width and falls linearly to 0 at its neighbours; the last
    takes everything beyond. width: half the shortest edge of the grid divided by the number of
    shells. Does not change when the volume is turned about its centre.
    """

    def __init__(self, shells: int) -> None:
        super().__init__()
        if shells < 1:
            raise InvalidSetting(f"{shells} shells: use 1 or more")
        self.shells = shells

    def forward(self, x: Float[Tensor, "batch c x y z"]) -> Float[Tensor, "batch c*shells"]:
        """Channels outside, shells inside."""
        weights = _shell_weights((*x.shape[2:],), self.shells, x.dtype, x.device)
        return (x.flatten(2) @ weights).flatten(1)


@functools.cache
def _shell_weights(
    voxels: tuple[int, ...], shells: int, dtype: torch.dtype, device: torch.device
) -> Float[Tensor, "voxels shells"]:
    axes = [torch.arange(n, dtype=torch.float64) - (n - 1) / 2 for n in voxels]
    distance = torch.cartesian_prod(*axes).norm(dim=1)
    width = max(min(voxels) / 2 / shells, 1e-9)
    place = (distance / width).clamp(max=shells - 1)
    weights = (1 - (place[:, None] - torch.arange(shells)).abs()).clamp(min=0)
    return (weights / weights.sum(0).clamp(min=1e-12)).to(dtype=dtype, device=device)


class Flatten(nn.Module):
    """Every voxel apart: **breaks rotation symmetry**; for volumes in a fixed local frame only."""

    def forward(self, x: Float[Tensor, "batch c x y z"]) -> Float[Tensor, "batch c*voxels"]:
        """Channels outside, voxels inside."""
        return x.flatten(1)


def perceptron(widths: Sequence[int], *, dropout: float = 0.0) -> nn.Sequential:
    """Linear maps with rectifiers between them, dropout before the last."""
    layers: list[nn.Module] = []
    for before, after in itertools.pairwise(widths[:-1]):
        layers += [nn.Linear(before, after), nn.ReLU()]
    if dropout:
        layers.append(nn.Dropout(dropout))
    return nn.Sequential(*layers, nn.Linear(widths[-2], widths[-1]))
