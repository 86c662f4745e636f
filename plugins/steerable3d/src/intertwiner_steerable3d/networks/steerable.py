"""Steerable networks: a trunk of gated or residual blocks and a head on its last scalars."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn

from intertwiner_steerable3d.errors import InvalidSetting
from intertwiner_steerable3d.layers.block import BlockSettings, GatedBlock
from intertwiner_steerable3d.layers.field_type import FieldType
from intertwiner_steerable3d.layers.heads import ShellPooling, SpatialMean, perceptron
from intertwiner_steerable3d.layers.low_pass import LowPass
from intertwiner_steerable3d.layers.residual import ResidualBlock

__all__ = ["cath", "gated_stack", "propensity", "shrec17", "tetris", "tiny"]


def gated_stack(
    types: Sequence[FieldType],
    sizes: Sequence[int],
    strides: Sequence[int],
    *,
    settings: BlockSettings,
    padding: int | None = None,
    generator: torch.Generator | None = None,
) -> nn.Sequential:
    """Gated blocks from each type to the next, each with its own kernel size and stride.

    Raises `InvalidSetting` where there are not as many sizes or strides as blocks.
    """
    if not len(types) - 1 == len(sizes) == len(strides):
        raise InvalidSetting(
            f"{len(types) - 1} blocks, {len(sizes)} kernel sizes, {len(strides)} strides: "
            "give one of each for every block"
        )
    blocks = [
        GatedBlock(
            source,
            target,
            size,
            stride=stride,
            padding=padding,
            settings=settings,
            generator=generator,
        )
        for (source, target), size, stride in zip(pairwise(types), sizes, strides, strict=True)
    ]
    return nn.Sequential(*blocks)


def tetris(
    channels: int, outputs: int, settings: BlockSettings, generator: torch.Generator | None = None
) -> nn.Sequential:
    """Weiler et al. 2018, section 5.1: low-pass input, four blocks, mean over space."""
    types = [(channels,), (4, 4, 4, 1), (16, 16, 16), (32, 16, 16), (128,)]
    trunk = gated_stack(
        types, (5,) * 4, (1, 2, 2, 1), settings=settings, padding=4, generator=generator
    )
    return nn.Sequential(
        LowPass(2.0), trunk, SpatialMean(), perceptron((128, outputs), dropout=0.2)
    )


def shrec17(
    channels: int, outputs: int, settings: BlockSettings, generator: torch.Generator | None = None
) -> nn.Sequential:
    """Weiler et al. 2018, section 5.2: eight blocks with plain strides, mean over space."""
    wide = [(32, 16, 8)] * 3
    types = [(channels,), *[(8, 4, 2)] * 2, *[(16, 8, 4)] * 2, *wide, (512,)]
    trunk = gated_stack(
        types, (5,) * 8, (2, 1) * 4, settings=settings, padding=4, generator=generator
    )
    return nn.Sequential(trunk, SpatialMean(), perceptron((512, outputs)))


def cath(
    channels: int,
    outputs: int,
    settings: BlockSettings,
    generator: torch.Generator | None = None,
    *,
    paper_exact: bool = True,
) -> nn.Sequential:
    """Weiler et al. 2018, section 5.4: residual stages of 3, 4, 6 and 3 blocks, mean over space."""
    source: FieldType = (2, 2, 2, 2)
    blocks: list[nn.Module] = [
        GatedBlock((channels,), source, 7, settings=settings, generator=generator)
    ]
    for stage, (width, count) in enumerate(zip((2, 4, 8, 16), (3, 4, 6, 3), strict=True)):
        for number in range(count):
            last = stage == 3 and number == count - 1
            target: FieldType = (256,) if last else (width,) * 4
            stride = 2 if number == 0 and stage > 0 else 1
            blocks.append(
                ResidualBlock(
                    source,
                    [(width,) * 4, target],
                    3,
                    stride=stride,
                    paper_exact=paper_exact,
                    settings=settings,
                    generator=generator,
                )
            )
            source = target
    return nn.Sequential(*blocks, SpatialMean(), perceptron((256, outputs)))


def propensity(
    channels: int,
    outputs: int,
    settings: BlockSettings,
    generator: torch.Generator | None = None,
    *,
    width: int = 1,
) -> nn.Sequential:
    """Ours, for what lies around a residue: four blocks, means over shells, a perceptron."""
    inner = [(8 * width * k, 4 * width * k, 2 * width * k) for k in (1, 2, 4)]
    last = 128 * width
    types: list[FieldType] = [(channels,), *inner, (last,)]
    trunk = gated_stack(types, (5,) * 4, (2, 2, 1, 1), settings=settings, generator=generator)
    return nn.Sequential(trunk, ShellPooling(4), perceptron((4 * last, 2 * last, outputs)))


def tiny(
    channels: int, outputs: int, settings: BlockSettings, generator: torch.Generator | None = None
) -> nn.Sequential:
    """Two small blocks, for tests."""
    types = [(channels,), (3, 1), (4,)]
    trunk = gated_stack(types, (3, 3), (2, 2), settings=settings, generator=generator)
    return nn.Sequential(trunk, ShellPooling(2), perceptron((8, outputs)))
