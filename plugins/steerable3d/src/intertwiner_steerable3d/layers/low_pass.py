"""Gaussian low-pass filters: what may be thrown away before a stride.

The filter of a Gaussian is a product of three one-dimensional ones. Each is a banded matrix
[voxels out, voxels in] that holds the stride and the padding too, so that a filter is three matrix
products, z first; the transposed matrices filter and spread a field in a U-Net's way up.
"""

from __future__ import annotations

import functools
import math
from typing import Any, Final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from intertwiner_steerable3d.errors import InvalidSetting

__all__ = ["LowPass", "TransposedLowPass", "filter_taps"]


NUMBERS: Final = 2**18
"""How many numbers are filtered at a time."""


def filter_taps(scale: float) -> Float[Tensor, " taps"]:
    """A Gaussian of sqrt(scale^2 - 1)/2 voxels, sum 1, of odd length 1 + 5 sigma or one more.

    Raises `InvalidSetting` for a scale that is not above 0. A scale of at most 1 filters nothing.
    """
    if not scale > 0:
        raise InvalidSetting(f"low-pass scale {scale}: it must be above 0")
    sigma = math.sqrt(max(scale**2 - 1, 0)) / 2
    half = int(1 + 5 * sigma) // 2
    if sigma == 0 or half == 0:
        return torch.ones(1, dtype=torch.float64)
    place = torch.arange(-half, half + 1, dtype=torch.float64)
    taps = torch.exp(-(place / sigma).square() / 2)
    return taps / taps.sum()


@functools.cache
def _band(
    voxels: int, scale: float, stride: int, dtype: torch.dtype, device: torch.device
) -> Float[Tensor, "out voxels"]:
    """The filter along an axis, zeros beyond its ends, every `stride`-th voxel from the first."""
    taps = filter_taps(scale)
    centre = torch.arange(0, voxels, stride)
    offset = torch.arange(voxels) - centre[:, None] + len(taps) // 2
    inside = (offset >= 0) & (offset < len(taps))
    band = torch.where(inside, taps[offset.clamp(0, len(taps) - 1)], 0.0)
    return band.to(dtype=dtype, device=device)


class LowPass(nn.Module):
    """A Gaussian of every channel, and every `stride`-th voxel of the result.

    scale: by how much the resolution is to fall; at most 1 filters nothing.
    """

    def __init__(self, scale: float, stride: int = 1) -> None:
        super().__init__()
        filter_taps(scale)
        self.scale, self.stride = scale, stride

    def forward(self, x: Float[Tensor, "batch c x y z"]) -> Float[Tensor, "batch c x2 y2 z2"]:
        """ceil(voxels / stride) voxels along every axis."""
        if self.scale <= 1:
            return x[:, :, :: self.stride, :: self.stride, :: self.stride]
        bands = [_band(n, self.scale, self.stride, x.dtype, x.device) for n in x.shape[2:]]
        return _along_axes(x, bands)

    def extra_repr(self) -> str:
        """For `print(model)`."""
        return f"scale={self.scale}, stride={self.stride}"


class TransposedLowPass(nn.Module):
    """The adjoint of `LowPass`, times stride^3: a coarse grid spread over a fine one."""

    def __init__(self, scale: float, stride: int) -> None:
        super().__init__()
        filter_taps(scale)
        self.scale, self.stride = scale, stride

    def forward(
        self, x: Float[Tensor, "batch c x y z"], voxels: tuple[int, int, int]
    ) -> Float[Tensor, "batch c x2 y2 z2"]:
        """`voxels`: of the fine grid, whose every `stride`-th voxel the coarse one holds."""
        bands = [_band(n, self.scale, self.stride, x.dtype, x.device).T for n in voxels]
        if [band.shape[1] for band in bands] != list(x.shape[2:]):
            raise InvalidSetting(
                f"a grid of {list(x.shape[2:])} voxels is not every {self.stride}th of {voxels}"
            )
        return _along_axes(x, bands) * self.stride**3


def _along_axes(x: Tensor, bands: list[Tensor]) -> Tensor:
    with torch.autocast(x.device.type, enabled=False):
        filtered: Tensor = _Filter.apply(x, *bands)
    return filtered


class _Filter(torch.autograd.Function):
    """Three matrix products for a few channels at a time, which stay in the processor's cache.

    Linear, so that nothing is kept for the gradient, which is the filter of the transposed bands.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, *bands: Tensor) -> Tensor:
        ctx.bands = bands
        along_x, along_y, along_z = bands
        sides = (len(along_x), len(along_y), len(along_z))
        volumes = x.reshape(-1, *x.shape[2:])
        out = x.new_empty(len(volumes), *sides)
        few = max(1, NUMBERS // max(1, volumes[:1].numel()))
        for part, found in zip(volumes.split(few), out.split(few), strict=True):
            planes = (part @ along_z.T).flatten(2)
            planes = (along_x @ planes).unflatten(2, (x.shape[3], sides[2]))
            torch.matmul(along_y, planes, out=found)
        return out.view(*x.shape[:2], *sides)

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:
        return _Filter.apply(slope, *(band.T for band in ctx.bands)), None, None, None
