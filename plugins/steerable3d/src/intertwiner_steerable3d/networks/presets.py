"""The networks by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import torch
from torch import nn

from intertwiner.config import suggestion
from intertwiner_steerable3d.bases.settings import PAPER, BasisSettings
from intertwiner_steerable3d.errors import InvalidSetting
from intertwiner_steerable3d.layers.block import BlockSettings
from intertwiner_steerable3d.networks import plain, steerable

__all__ = ["PLAIN", "PRESETS", "build"]

_OURS = BlockSettings()
_Builder = Callable[[int, int, BlockSettings, torch.Generator | None], nn.Sequential]

_STEERABLE: Final[dict[str, tuple[_Builder, BlockSettings]]] = {
    "tetris": (steerable.tetris, BlockSettings(basis=PAPER, momentum=None)),
    "shrec17": (steerable.shrec17, BlockSettings(basis=PAPER, smooth=False)),
    "cath": (steerable.cath, BlockSettings(basis=PAPER, momentum=0.01, dropout=0.1)),
    "cath_repaired": (
        lambda c, o, s, g: steerable.cath(c, o, s, g, paper_exact=False),
        BlockSettings(basis=PAPER, momentum=0.01, dropout=0.1),
    ),
    "propensity": (steerable.propensity, _OURS),
    "tiny": (steerable.tiny, _OURS),
    "propensity_L": (lambda c, o, s, g: steerable.propensity(c, o, s, g, width=2), _OURS),
}

PLAIN: Final = (
    "tetris_cnn",
    "cath_cnn",
    "cath_cnn_narrow",
    "cath_cnn_wide",
    "propensity_cnn",
    "tiny_cnn",
)
PRESETS: Final = (*_STEERABLE, *PLAIN)
"""Their names. `cath_repaired` is `cath` with activations after its sums."""

_CATH_WIDTHS: Final = {"cath_cnn": 32, "cath_cnn_narrow": 8, "cath_cnn_wide": 64}


def build(
    preset: str,
    *,
    channels: int,
    outputs: int,
    grid: int,
    basis: BasisSettings | None = None,
    smooth: bool | None = None,
    generator: torch.Generator | None = None,
) -> nn.Sequential:
    """A network from volumes [batch, channels, x, y, z] of scalars to logits [batch, outputs].

    grid: voxels along an edge; only `propensity_cnn` depends on it. basis, smooth: of steerable
    networks and of `tetris_cnn`; None keeps the preset's own (the paper's kernels and strides for
    the paper's networks). Raises `InvalidSetting` for an unknown name or a grid that is too small.
    """
    if preset in _STEERABLE:
        builder, settings = _STEERABLE[preset]
        settings = settings if basis is None else replace(settings, basis=basis)
        settings = settings if smooth is None else replace(settings, smooth=smooth)
        return builder(channels, outputs, settings, generator)
    if preset == "tetris_cnn":
        return plain.tetris_cnn(channels, outputs, smooth=smooth is not False)
    if preset in _CATH_WIDTHS:
        return plain.cath_cnn(channels, outputs, width=_CATH_WIDTHS[preset])
    if preset == "tiny_cnn":
        return plain.tiny_cnn(channels, outputs)
    if preset == "propensity_cnn":
        return plain.propensity_cnn(channels, outputs, grid)
    raise InvalidSetting(f"no network {preset!r}{suggestion(preset, set(PRESETS))}")
