"""The network of moments: products of moments, then a few convolutions of narrow messages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch_geometric.data import Batch

from intertwiner.schema import Schema
from intertwiner_gauge_mesh.layers.convolution import GaugeConv
from intertwiner_gauge_mesh.layers.linear import GaugeLinear
from intertwiner_gauge_mesh.layers.product import Product
from intertwiner_gauge_mesh.model import MeshNetwork
from intertwiner_gauge_mesh.moments.config import MomentsConfig
from intertwiner_gauge_mesh.moments.inputs import MomentInputs
from intertwiner_gauge_mesh.plan import MeshPlan
from intertwiner_gauge_mesh.trunk import conv_settings, nonlinearity_of
from intertwiner_gauge_mesh.types import FeatureType

__all__ = ["MomentNetwork", "MomentTrunk", "build_network"]

CALM: Final = 0.5


class MomentTrunk(nn.Module):
    """Linear lift, products, and blocks x <- x + product(conv(mix(x)))."""

    def __init__(
        self, config: MomentsConfig, type_in: FeatureType, hidden: FeatureType, out: FeatureType
    ) -> None:
        super().__init__()
        message = FeatureType.parse(config.message)
        make = nonlinearity_of(config)
        self.lift = GaugeLinear(type_in, hidden)
        self.products = nn.ModuleList(make(hidden) for _ in range(config.products))
        self.mixes = nn.ModuleList(
            GaugeLinear(hidden, message, bias=False) for _ in range(config.blocks)
        )
        self.convolutions = nn.ModuleList(
            GaugeConv(message, hidden, **conv_settings(config)) for _ in range(config.blocks)
        )
        self.bends = nn.ModuleList(make(hidden) for _ in range(config.blocks))
        self.last = make(hidden)
        if isinstance(self.last, Product) and self.last.back is not None:
            self.last.back = _NarrowLinear(self.last.back, out)
        self.kept = out.width
        self._calm()

    @torch.no_grad()
    def _calm(self) -> None:
        """Makes products small at first: a chain of them would blow up what is above one."""
        for matrix in self.lift.matrices:
            matrix.mul_(CALM)
        for module in self.modules():
            if isinstance(module, Product):
                for matrix in (*module.left.matrices, *module.right.matrices):
                    matrix.mul_(CALM)

    def forward(
        self, x: Float[Tensor, "vertices width_in"], plan: MeshPlan
    ) -> Float[Tensor, "vertices width_out"]:
        """The orders of `out` of the hidden features."""
        x = self.lift(x)
        for product in self.products:
            x = product(x)
        for mix, convolution, bend in zip(self.mixes, self.convolutions, self.bends, strict=True):
            x = x + bend(convolution(mix(x), plan))
        result: Tensor = self.last(x)
        return result[:, : self.kept]


class _NarrowLinear(GaugeLinear):
    """The map without the matrices of orders above those of `out`, which nothing reads: zeros."""

    def __init__(self, full: GaugeLinear, out: FeatureType) -> None:
        super().__init__(full.type_in, out, bias=False)
        self.matrices = nn.ParameterList(full.matrices[rank] for rank in range(len(self.common)))
        self.width = full.type_out.width

    def forward(self, x: Float[Tensor, "vertices width_in"]) -> Float[Tensor, "vertices width_out"]:
        """Rows of the full width."""
        narrow = super().forward(x)
        return nn.functional.pad(narrow, (0, self.width - narrow.shape[1]))


class MomentNetwork(MeshNetwork):
    """See `MeshNetwork`; inputs and trunk are those of this module."""

    def __init__(self, config: MomentsConfig, schema: Schema) -> None:
        super().__init__(replace(config, inputs=("matrix",)), schema)
        self.config = config
        hidden = FeatureType.parse(config.hidden)
        out = next(iter(cast("dict[str, nn.Module]", self.readouts).values())).kind
        inputs = MomentInputs(config.inputs, schema.inputs)
        self.inputs = inputs  # type: ignore[assignment]
        self.trunk = MomentTrunk(config, inputs.kind, hidden, cast(FeatureType, out))
        if config.reach:
            self._set_reach(config.reach)

    @torch.no_grad()
    def prepare(self, batches: Iterable[Batch]) -> None:
        """As of `MeshNetwork`, and the size of every input channel."""
        seen = list(batches)
        super().prepare(seen)
        inputs = cast(MomentInputs, self.inputs)
        pairs = ((batch, self.planner(batch)) for batch in seen)
        inputs.fit(pairs, float(self.lengths[1]))


def build_network(config: MomentsConfig, schema: Schema) -> MomentNetwork:
    """The network for the targets of `schema`."""
    return MomentNetwork(config, schema)
