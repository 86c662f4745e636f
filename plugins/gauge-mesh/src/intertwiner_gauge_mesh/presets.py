"""The networks that were published, as plain modules, with the numbers of parameters they had.

They read features of the vertices (three coordinates, or the 7 matrix channels of
`layers.matrix_features.matrix_channels` packed) and give logits of every vertex, or of the mesh.
Sources: "paper", arXiv 2003.05425; the others, the authors' published scripts.
"""

from __future__ import annotations

import itertools
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from intertwiner_gauge_mesh.config import SelfMode
from intertwiner_gauge_mesh.errors import InvalidSetting
from intertwiner_gauge_mesh.hierarchy import HierarchySettings
from intertwiner_gauge_mesh.layers.block import ResidualBlock
from intertwiner_gauge_mesh.layers.concatenate import concatenated
from intertwiner_gauge_mesh.layers.convolution import GaugeConv
from intertwiner_gauge_mesh.layers.sampled import SampledNonlinearity
from intertwiner_gauge_mesh.plan import MeshPlan
from intertwiner_gauge_mesh.types import FeatureType
from intertwiner_gauge_mesh.unet import UNet

__all__ = ["PRESETS", "PresetNetwork", "make_preset"]

Preset = Literal["faust-direct", "faust-pool", "faust-paper", "shapes"]
PRESETS: dict[str, tuple[int, int]] = {
    "faust-direct": (60_144, 1_835_226),
    "faust-pool": (293_296, 2_068_378),
    "faust-paper": (38_768, 1_826_138),
    "shapes": (65_840, 80_472),
}
"""Parameters of the convolutions and of the whole network, for 6,890 classes (shapes: 40)."""

WIDTH = 16
HEAD = 256
XYZ = FeatureType((3,))
CHANNELS = FeatureType((7, 7, 7))
HIDDEN = FeatureType.uniform(WIDTH, 2)
SCALARS = FeatureType((WIDTH,))


class PresetNetwork(nn.Module):
    """A trunk of blocks, then dense layers on the scalars.

    pooled: the logits are averaged over each mesh. log_softmax: log probabilities instead.
    """

    def __init__(
        self,
        trunk: nn.Module,
        scalars: int,
        classes: int,
        *,
        relu: bool = True,
        pooled: bool = False,
        log_softmax: bool = False,
    ) -> None:
        super().__init__()
        self.trunk = trunk
        activation = [nn.ReLU()] if relu else []
        self.head = nn.Sequential(
            nn.Linear(scalars, HEAD), *activation, nn.Dropout(0.5), nn.Linear(HEAD, classes)
        )
        self.pooled, self.log_softmax = pooled, log_softmax

    def forward(
        self, x: Float[Tensor, "vertices width"], plan: MeshPlan
    ) -> Float[Tensor, "items classes"]:
        """One row for every vertex, or for every mesh."""
        logits: Tensor = self.head(self.trunk(x, plan))
        if self.pooled:
            rows = [logits[a:b].mean(0) for a, b in zip(plan.ptr, plan.ptr[1:], strict=False)]
            logits = torch.stack(rows)
        return logits.log_softmax(-1) if self.log_softmax else logits


class Blocks(nn.Module):
    """Blocks one after the other, each called with the plan."""

    def __init__(self, *blocks: nn.Module) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)

    def forward(self, x: Float[Tensor, "vertices _"], plan: MeshPlan) -> Tensor:
        for block in self.blocks:
            x = block(x, plan)
        return x


def make_preset(
    name: Preset,
    reach: float,
    classes: int | None = None,
    *,
    self_mode: SelfMode = "in_mean",
) -> PresetNetwork:
    """A published network. reach: of the filters, in the unit of the positions.

    self_mode: the published FAUST scripts make no loops, so that the map of a vertex to itself
    never acts: "none" reproduces that, with fewer parameters.
    Raises `InvalidSetting` for a name that is not in `PRESETS`.
    """
    settings = {
        "reach": reach,
        "rings": 2,
        "self_mode": self_mode,
        "radial": "released",
        "init": "released",
        "report": False,
    }
    if name == "faust-direct":
        trunk: nn.Module = _chain((XYZ, HIDDEN, HIDDEN, SCALARS), 7, settings)
        return PresetNetwork(trunk, WIDTH, classes or 6890, log_softmax=True)
    if name == "faust-pool":
        trunk = _pooling(settings)
        return PresetNetwork(trunk, WIDTH, classes or 6890, log_softmax=True)
    if name == "faust-paper":
        kinds = (XYZ, HIDDEN, HIDDEN, FeatureType((64,)))
        trunk = _chain(kinds, 5, {**settings, "rings": 1})
        return PresetNetwork(trunk, 64, classes or 6890)
    if name == "shapes":
        trunk = _chain((CHANNELS, HIDDEN, HIDDEN, SCALARS), 7, settings)
        return PresetNetwork(trunk, WIDTH, classes or 40, relu=False, pooled=True)
    raise InvalidSetting(f"preset {name!r}: choose one of {', '.join(PRESETS)}")


def _chain(kinds: tuple[FeatureType, ...], samples: int, settings: dict[str, Any]) -> Blocks:
    return Blocks(
        *(_block(into, out, samples, settings) for into, out in itertools.pairwise(kinds))
    )


def _block(
    type_in: FeatureType, type_out: FeatureType, samples: int, settings: dict[str, Any]
) -> ResidualBlock:
    def nonlinearity(kind: FeatureType) -> nn.Module:
        return SampledNonlinearity(kind, "relu", samples, scaling="released", quiet=True)

    return ResidualBlock(type_in, type_out, nonlinearity, middle=HIDDEN, **settings)


def _pooling(settings: dict[str, Any]) -> UNet:
    """Two blocks on each of three levels and back: shares of a quarter, radii in metres."""

    def pair(first: FeatureType, last: FeatureType = HIDDEN) -> list[nn.Module]:
        return [_block(first, HIDDEN, 7, settings), _block(HIDDEN, last, 7, settings)]

    joined = concatenated([HIDDEN, HIDDEN])
    levels = HierarchySettings((0.25, 0.25), (0.14, 0.28), 32, "euclid", absolute=True)
    down = [pair(CHANNELS), pair(HIDDEN), pair(HIDDEN)]
    network = UNet(down, [pair(joined), pair(joined, SCALARS)], HIDDEN, levels)
    for number, radius in ((1, 0.14), (2, 0.28)):
        blocks = [*network.down[number].modules()]
        blocks += [*network.up[0].modules()] if number == 1 else []
        for module in blocks:
            if isinstance(module, GaugeConv):
                module.set_reach(radius)
    return network
