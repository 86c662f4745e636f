"""A convolution of fixed kernel by Fourier transforms of overlapping tiles: for evaluation.

A tile of T voxels along an edge gives T - s + 1 voxels of the output of a kernel of s. In the
transform the convolution is a product of [channels in, channels out] matrices, one a frequency.
Worth it for kernels of 5^3 and more with 32 channels and more.
"""

from __future__ import annotations

import math
from typing import Final

import torch
from jaxtyping import Complex, Float
from torch import Tensor, nn

from intertwiner_steerable3d.errors import InvalidInput, InvalidSetting
from intertwiner_steerable3d.layers.field_type import check_volume

__all__ = ["FourierConv3d", "best_tile"]

TILES: Final = (8, 10, 12, 14, 16, 18, 20, 22, 24, 28, 30, 32, 36, 40)
"""Edges that transform well."""

PASSES: Final = 40
"""Cost of a transform and of moving its numbers, in products of a number, by trial."""

READING: Final = 8
"""Cost of reading a number of the kernel's transform, likewise."""


def best_tile(size: int, channels: int, rows: int, sides: tuple[int, ...]) -> int:
    """The edge of the tiles of least estimated work for outputs of `sides` voxels."""
    candidates = [tile for tile in TILES if tile >= size]
    if not candidates:
        raise InvalidSetting(f"kernel of {size} voxels: tiles have at most {TILES[-1]}")

    def work(tile: int) -> float:
        tiles = math.prod(math.ceil(side / (tile - size + 1)) for side in sides)
        frequencies = tile**2 * (tile // 2 + 1)
        moving = PASSES * (channels + rows)
        return frequencies * (channels * rows * (tiles + READING) + tiles * moving)

    return min(candidates, key=work)


class FourierConv3d(nn.Module):
    """What `nn.functional.conv3d` gives with stride 1, up to rounding (about 1e-6 in float32).

    kernel: [out, in, s, s, s]. bias: one number a row or None. tile: None chooses for each shape of
    volumes; the transform of the kernel is kept for each tile used. No gradients of the kernel.
    """

    def __init__(
        self,
        kernel: Float[Tensor, "rows columns s s s"],
        bias: Float[Tensor, " rows"] | None,
        padding: int,
        *,
        tile: int | None = None,
    ) -> None:
        super().__init__()
        self.padding, self.tile = padding, tile
        self.kernel: Tensor
        self.bias: Tensor | None
        self.register_buffer("kernel", kernel.detach().clone())
        self.register_buffer("bias", None if bias is None else bias.detach().clone())
        self._spectra: dict[tuple[int, torch.dtype, torch.device], Tensor] = {}

    def forward(self, x: Float[Tensor, "batch c x y z"]) -> Float[Tensor, "batch d x2 y2 z2"]:
        """The convolved volumes."""
        rows, columns, size = self.kernel.shape[:3]
        check_volume(x, columns, f"a convolution of {columns} channels")
        sides = tuple(side + 2 * self.padding - size + 1 for side in x.shape[2:])
        if min(sides) < 1:
            raise InvalidInput(f"volume of {list(x.shape[2:])} voxels is smaller than the kernel")
        tile = self.tile or best_tile(size, columns, rows, sides)
        tiles, counts = _tiles(x, sides, tile, size, self.padding)
        edges = (tile, tile, tile)
        waves = torch.fft.rfftn(tiles, s=edges).flatten(2).permute(2, 0, 1)
        mixed = torch.bmm(waves, self._spectrum(tile)).permute(1, 2, 0)
        spectra = mixed.reshape(*mixed.shape[:2], tile, tile, -1)
        kept = torch.fft.irfftn(spectra, s=edges)
        out = _joined(kept, counts, tile - size + 1, sides)
        return out if self.bias is None else out + self.bias[:, None, None, None]

    def _spectrum(self, tile: int) -> Complex[Tensor, "frequencies columns rows"]:
        key = (tile, self.kernel.dtype, self.kernel.device)
        if key not in self._spectra:
            waves = torch.fft.rfftn(self.kernel, s=(tile, tile, tile)).conj()
            self._spectra[key] = waves.flatten(2).permute(2, 1, 0).contiguous()
        return self._spectra[key]


def _tiles(
    x: Tensor, sides: tuple[int, ...], tile: int, size: int, padding: int
) -> tuple[Float[Tensor, "tiles c t t t"], tuple[int, ...]]:
    """(overlapping tiles, how many along batch and axes)."""
    valid = tile - size + 1
    counts = [math.ceil(side / valid) for side in sides]
    right = [
        count * valid + size - 1 - side - padding
        for count, side in zip(counts, x.shape[2:], strict=True)
    ]
    margins = [margin for after in reversed(right) for margin in (padding, after)]
    padded = nn.functional.pad(x, margins)
    for axis in (2, 3, 4):
        padded = padded.unfold(axis, tile, valid)
    apart = padded.permute(0, 2, 3, 4, 1, 5, 6, 7)
    return apart.flatten(0, 3), (len(x), *counts)


def _joined(
    tiles: Tensor, counts: tuple[int, ...], valid: int, sides: tuple[int, ...]
) -> Float[Tensor, "batch d x y z"]:
    """The valid part of every tile, side by side, cut to the output's sides."""
    parts = tiles[..., :valid, :valid, :valid].unflatten(0, counts)
    joined = parts.permute(0, 4, 1, 5, 2, 6, 3, 7).reshape(
        counts[0], tiles.shape[1], *(count * valid for count in counts[1:])
    )
    return joined[:, :, : sides[0], : sides[1], : sides[2]]
