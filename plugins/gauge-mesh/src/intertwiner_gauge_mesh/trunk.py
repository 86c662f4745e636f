"""The stack of blocks between input features and read-outs."""

from __future__ import annotations

from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from intertwiner_gauge_mesh.config import GemConfig
from intertwiner_gauge_mesh.layers.block import MakeNonlinearity, ResidualBlock, SimpleBlock
from intertwiner_gauge_mesh.layers.convolution import GaugeConv
from intertwiner_gauge_mesh.layers.nonlinearity import make_nonlinearity
from intertwiner_gauge_mesh.plan import MeshPlan
from intertwiner_gauge_mesh.types import FeatureType

__all__ = ["FlatTrunk", "conv_settings", "make_block", "nonlinearity_of"]


class FlatTrunk(nn.Module):
    """Blocks one after the other on the vertices of the mesh.

    "simple" blocks: the last one is a convolution alone, whose scalars the read-out bends.
    """

    def __init__(
        self,
        config: GemConfig,
        type_in: FeatureType,
        hidden: FeatureType,
        out: FeatureType,
    ) -> None:
        super().__init__()
        kinds = [type_in, *[hidden] * (config.blocks - 1)]
        simple = config.block == "simple"
        inner = [make_block(config, kind, hidden) for kind in kinds[: config.blocks - 1]]
        last: nn.Module = (
            GaugeConv(kinds[-1], out, **conv_settings(config))
            if simple
            else make_block(config, kinds[-1], out)
        )
        self.blocks = nn.ModuleList([*inner, last])

    def forward(
        self, x: Float[Tensor, "vertices width_in"], plan: MeshPlan
    ) -> Float[Tensor, "vertices width_out"]:
        """Equivariant as far as the nonlinearity is."""
        for block in self.blocks:
            x = block(x, plan)
        return x


def make_block(config: GemConfig, type_in: FeatureType, type_out: FeatureType) -> nn.Module:
    """One block of the kind that the settings name."""
    kind = SimpleBlock if config.block == "simple" else ResidualBlock
    return kind(
        type_in,
        type_out,
        nonlinearity_of(config),
        normalize=config.normalize,
        **conv_settings(config),
    )


def nonlinearity_of(config: GemConfig) -> MakeNonlinearity:
    """Type -> the nonlinearity of the settings for it."""

    def make(kind: FeatureType) -> nn.Module:
        samples = max(config.samples, 2 * kind.order + 1) if config.samples else 0
        return make_nonlinearity(
            config.nonlinearity, kind, samples=samples, scaling=config.scaling, quiet=True
        )

    return make


def conv_settings(config: GemConfig) -> dict[str, Any]:
    """The settings that all convolutions of a network share."""
    return {
        "rings": config.rings,
        "weights": config.weights,
        "self_mode": config.self_mode,
        "radial": config.radial,
        "init": config.init,
        "report": False,
    }
