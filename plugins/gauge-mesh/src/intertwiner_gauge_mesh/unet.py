"""The trunk that goes down a hierarchy of samples of the surface and up again."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

from intertwiner_gauge_mesh.config import GemUNetConfig
from intertwiner_gauge_mesh.errors import InvalidSetting
from intertwiner_gauge_mesh.hierarchy import HierarchySettings, hierarchy
from intertwiner_gauge_mesh.layers.concatenate import concatenate, concatenated
from intertwiner_gauge_mesh.layers.convolution import GaugeConv
from intertwiner_gauge_mesh.plan import MeshPlan
from intertwiner_gauge_mesh.trunk import conv_settings, make_block
from intertwiner_gauge_mesh.types import FeatureType

__all__ = ["UNet", "UNetTrunk"]


class UNet(nn.Module):
    """Blocks on every level down, on every level up again after joining what was there before.

    down: a list of blocks for every level, the finest first; up: for all but the coarsest, the
    coarsest first. A block is called as block(x, plan).
    """

    def __init__(
        self,
        down: list[list[nn.Module]],
        up: list[list[nn.Module]],
        hidden: FeatureType,
        settings: HierarchySettings,
    ) -> None:
        super().__init__()
        self.down = nn.ModuleList(nn.ModuleList(blocks) for blocks in down)
        self.up = nn.ModuleList(nn.ModuleList(blocks) for blocks in up)
        self.hidden, self.settings = hidden, settings

    def forward(
        self, x: Float[Tensor, "vertices width_in"], plan: MeshPlan
    ) -> Float[Tensor, "vertices width_out"]:
        """Equivariant as far as the blocks are."""
        levels = hierarchy(plan, self.settings)
        plans = [plan, *(level.plan for level in levels)]
        kept: list[Tensor] = []
        for number, blocks in enumerate(self.down):
            if number:
                kept.append(x)
                x = levels[number - 1].pool(x, self.hidden)
            for block in blocks:  # type: ignore[attr-defined]
                x = block(x, plans[number])
        for number, blocks in zip(range(len(levels) - 1, -1, -1), self.up, strict=True):
            wide = levels[number].unpool(x, self.hidden)
            x = concatenate([(kept[number], self.hidden), (wide, self.hidden)])
            for block in blocks:  # type: ignore[attr-defined]
                x = block(x, plans[number])
        return x


class UNetTrunk(UNet):
    """The hierarchy of `GemUNetConfig`, `blocks` on every level and direction.

    The reach of the filters of a coarser level is the radius of its neighbourhoods.
    Raises `InvalidSetting` when ratios and radii are not equally many.
    """

    def __init__(
        self,
        config: GemUNetConfig,
        type_in: FeatureType,
        hidden: FeatureType,
        out: FeatureType,
    ) -> None:
        if len(config.ratios) != len(config.radii):
            raise InvalidSetting(
                f"ratios {config.ratios} and radii {config.radii}: one of each for every level"
            )
        depth = len(config.ratios)

        def stack(first: FeatureType, last: FeatureType | None = None) -> list[nn.Module]:
            kinds = [first, *[hidden] * (config.blocks - 1)]
            blocks = [make_block(config, kind, hidden) for kind in kinds]
            if last is not None:
                blocks[-1] = _last_block(config, kinds[-1], last)
            return blocks

        joined = concatenated([hidden, hidden])
        down = [stack(type_in if level == 0 else hidden) for level in range(depth + 1)]
        up = [stack(joined, out if level == depth - 1 else None) for level in range(depth)]
        settings = HierarchySettings(config.ratios, config.radii, config.neighbors, config.graph)
        super().__init__(down, up, hidden, settings)
        self.set_unit(1.0)

    def set_unit(self, unit: float) -> None:
        """Sets the reaches of the coarser levels for a mean edge length of `unit`."""
        for number, radius in enumerate(self.settings.radii, 1):
            sides = [self.down[number]]
            if number < len(self.settings.radii):
                sides.append(self.up[len(self.settings.radii) - 1 - number])
            for module in (item for side in sides for item in side.modules()):
                if isinstance(module, GaugeConv):
                    module.set_reach(radius * unit)


def _last_block(config: GemUNetConfig, type_in: FeatureType, out: FeatureType) -> nn.Module:
    if config.block == "simple":
        return GaugeConv(type_in, out, **conv_settings(config))
    return make_block(config, type_in, out)
