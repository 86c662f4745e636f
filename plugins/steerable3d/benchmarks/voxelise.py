"""The voxeliser: 400 atoms on 48^3 voxels with 4 channels, and a residue's grid; per batch of 8."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from intertwiner.benchmark import Row, compare, main
from intertwiner_steerable3d.voxels import scatter
from intertwiner_steerable3d.voxels.compiled.operation import voxelise

GRIDS = 8
CHANNELS = 4


def environments(atoms: int, side: int, width: float) -> tuple[Tensor, ...]:
    """Places, weights, widths, channels and bounds of `GRIDS` random environments, in voxels."""
    draw = torch.Generator().manual_seed(0)
    count = GRIDS * atoms
    places = side * torch.rand(count, 3, generator=draw)
    channel = torch.randint(CHANNELS, (count,), generator=draw)
    bounds = torch.arange(GRIDS + 1) * atoms
    return places, torch.ones(count), torch.full((count, 3), width), channel, bounds


def every_voxel(
    places: Tensor, weights: Tensor, widths: Tensor, channel: Tensor, bounds: Tensor, side: int
) -> list[Tensor]:
    """Every atom at every voxel of its channel, without a cut-off: exact matrix products."""
    voxel = torch.arange(side) - places[:, :, None]
    x, y, z = torch.exp(-((voxel / widths[:, :, None]) ** 2) / 2).unbind(1)
    made = []
    for first, last in zip(bounds.tolist(), bounds.tolist()[1:], strict=False):
        for number in range(CHANNELS):
            rows = first + (channel[first:last] == number).nonzero()[:, 0]
            plane = (y[rows, :, None] * z[rows, None, :]).flatten(1)
            made.append((weights[rows, None] * x[rows]).T @ plane)
    return made


def measure(repeats: int) -> Iterator[Row]:
    """Compiled against plain torch, values alone and with gradients, and against exact products."""
    for name, atoms, side, required in (
        ("400 atoms, 48^3", 400, 48, 3.0),
        ("223, 25^3", 223, 25, 3.0),
    ):
        given = environments(atoms, side, 1.0)
        rest = (CHANNELS, (side,) * 3, 4.0)
        yield compare(
            f"voxelise {name}",
            lambda given=given, rest=rest: voxelise(*given, *rest),
            lambda given=given, rest=rest: scatter.voxelise(*given, *rest),
            against="plain torch, scattered boxes",
            repeats=repeats,
            required=required,
        )
        yield compare(
            f"voxelise {name}, exact",
            lambda given=given, rest=rest: voxelise(*given, *rest),
            lambda given=given, side=side: every_voxel(*given, side),
            against="matrix products over all voxels",
            repeats=repeats,
        )
        yield compare(
            f"voxelise {name}, with gradients",
            lambda given=given, rest=rest: _gradient(voxelise, given, rest),
            lambda given=given, rest=rest: _gradient(scatter.voxelise, given, rest),
            against="plain torch, scattered boxes",
            repeats=repeats,
        )


def _gradient(run: object, given: tuple[Tensor, ...], rest: tuple[object, ...]) -> Tensor:
    places = given[0].clone().requires_grad_()
    run(places, *given[1:], *rest).square().sum().backward()  # type: ignore[operator]
    return places


if __name__ == "__main__":
    main(__doc__ or "", measure)
