"""Networks on meshes: input features, a trunk of convolutions, and a read-out for every target."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch_geometric.data import Batch, Data

from intertwiner.fields import GRAPH, Label, Scalar
from intertwiner.schema import Schema
from intertwiner_gauge_mesh.calibration import EdgeLengths, spread
from intertwiner_gauge_mesh.config import GemConfig, GemUNetConfig
from intertwiner_gauge_mesh.errors import MeshWarning, WrongType
from intertwiner_gauge_mesh.inputs import InputFeatures
from intertwiner_gauge_mesh.layers.convolution import GaugeConv
from intertwiner_gauge_mesh.layers.readout import Readout, target_counts
from intertwiner_gauge_mesh.plan import MeshPlan
from intertwiner_gauge_mesh.planner import Planner, single_meshes
from intertwiner_gauge_mesh.trunk import FlatTrunk
from intertwiner_gauge_mesh.types import FeatureType
from intertwiner_gauge_mesh.unet import UNetTrunk

__all__ = ["MeshNetwork", "build_network"]

OTHER_UNITS = 5.0
"""Ratio of median edge lengths from which a mesh is taken to be in other units."""


class MeshNetwork(nn.Module):
    """Batches of meshes -> one tensor for every target of `schema`.

    Does not depend on the frames, on where the mesh is and how it is turned, on the order of
    vertices and faces, or on the other meshes of the batch.
    """

    lengths: Tensor

    def __init__(self, config: GemConfig, schema: Schema) -> None:
        super().__init__()
        self.config, self.schema = config, schema
        self.inputs = InputFeatures(config.inputs, schema.inputs)
        hidden = FeatureType.parse(config.hidden)
        out = _last_type(hidden, schema)
        self.trunk = _make_trunk(config, self.inputs.kind, hidden, out)
        self.readouts = nn.ModuleDict(
            {
                field.name: Readout(field, out, config.head, config.dropout)
                for field in schema.targets
            }
        )
        # reach, mean and median edge length of the training meshes; zero until prepared.
        self.register_buffer("lengths", torch.zeros(3, dtype=torch.float64))
        if config.reach:
            self._set_reach(config.reach)
        self.planner = Planner(self._plan)
        self._told_of_long_edges = False

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """`batch.pos`, `batch.face`, the input fields; maybe `frame` and `gauge_angle`.

        In evaluation on a CPU meshes are taken one by one, so that each has the same bits in any
        batch: matrix products of a library depend on how many rows they have.
        Raises `InvalidMesh`, `InvalidInput` or `WrongType` (all `DataError`).
        """
        self._check(batch)
        if self.training or len(batch.ptr) == 2 or batch.pos.device.type != "cpu":
            return self._run(batch)
        parts = [self._run(mesh) for mesh in single_meshes(batch)]
        return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}

    def _run(self, batch: Data) -> dict[str, Tensor]:
        plan = self.planner(batch)
        self._check_units(plan)
        features = self.trunk(self.inputs(batch, plan), plan)
        found = {}
        for field in self.schema.targets:
            values = self.readouts[field.name](features, plan.frame)
            if field.site == GRAPH:
                found[field.name] = _mean_over_meshes(plan, values)
            else:
                found[field.name] = values if plan.weld is None else values[plan.weld]
        return found

    def plan(self, batch: Batch) -> MeshPlan:
        """The plan that the batch is seen through."""
        return self.planner(batch)

    @torch.no_grad()
    def prepare(self, batches: Iterable[Batch]) -> None:
        """Sets the reach of the filters and the units of lengths and targets."""
        edges: list[Tensor] = []
        labels: dict[str, list[Tensor]] = {field.name: [] for field in self.schema.targets}
        for batch in batches:
            self._check(batch)
            edges += [plan.length for plan in self.planner.plans(batch)]
            for name, column in labels.items():
                if name in batch:
                    column.append(batch[name].flatten())
        found = EdgeLengths.of(edges)
        reach = self.config.reach or found.reach
        self.lengths.copy_(torch.tensor([reach, found.mean, found.median], dtype=torch.float64))
        self._set_reach(reach)
        if isinstance(self.trunk, UNetTrunk):
            self.trunk.set_unit(found.mean)
        if self.config.scale_features:
            self.inputs.unit.fill_(found.mean)
        for field in self.schema.targets:
            column = labels[field.name]
            if column and not isinstance(field.rep, Label):
                centred = isinstance(field.rep, Scalar)
                shift, scale = spread(torch.cat(column), centred=centred)
                readout = cast(Readout, self.readouts[field.name])
                readout.shift.fill_(shift)
                readout.scale.fill_(scale)

    def _set_reach(self, reach: float) -> None:
        for module in self.modules():
            if isinstance(module, GaugeConv):
                module.set_reach(reach)

    def _plan(self, pos: Tensor, face: Tensor, frame: Tensor | None) -> MeshPlan:
        return MeshPlan.from_mesh(
            pos,
            face,
            frame="axis" if frame is None else frame,
            on_antipodal=self.config.on_antipodal,
            on_zero_normal=self.config.on_zero_normal,
            differentiable=pos.requires_grad,
        )

    def _check(self, batch: Data) -> None:
        kind = next(self.parameters()).dtype
        if batch.pos.dtype != kind:
            raise WrongType(f"positions are {batch.pos.dtype}, the network's parameters {kind}")

    def _check_units(self, plan: MeshPlan) -> None:
        """Warns of meshes whose edges are far longer or shorter than those learned from."""
        usual = float(self.lengths[2])
        if not usual or "units" in plan.cache or len(plan.length) == 0:
            return
        plan.cache["units"] = True
        if not (self.training or self._told_of_long_edges):
            self._told_of_long_edges = plan.report_long_edges(float(self.lengths[0]))
        ratio = float(plan.length.detach().median()) / usual
        if not 1 / OTHER_UNITS < ratio < OTHER_UNITS:
            warnings.warn(
                f"the median edge is {ratio:.3g} times that of the training meshes: are the "
                "positions in another unit?",
                MeshWarning,
                stacklevel=3,
            )


def build_network(config: GemConfig, schema: Schema) -> MeshNetwork:
    """The network for the targets of `schema`."""
    return MeshNetwork(config, schema)


def _last_type(hidden: FeatureType, schema: Schema) -> FeatureType:
    """The orders of the hidden features that the targets are read from."""
    needed = [0]
    for field in schema.targets:
        needed += [order for order, count in enumerate(target_counts(field)) if count]
    return hidden.truncated(max(needed))


def _make_trunk(
    config: GemConfig, type_in: FeatureType, hidden: FeatureType, out: FeatureType
) -> nn.Module:
    if isinstance(config, GemUNetConfig):
        return UNetTrunk(config, type_in, hidden, out)
    return FlatTrunk(config, type_in, hidden, out)


def _mean_over_meshes(plan: MeshPlan, values: Tensor) -> Float[Tensor, "meshes ..."]:
    """Over the vertices that are in a face, mesh by mesh."""
    rows = []
    for start, stop in zip(plan.ptr, plan.ptr[1:], strict=False):
        rows.append(values[start:stop][plan.used[start:stop]].mean(0))
    return torch.stack(rows)
