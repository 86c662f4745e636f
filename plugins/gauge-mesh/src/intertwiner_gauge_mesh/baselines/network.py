"""What all learned baselines share: fields of a batch in, targets in their units out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch_geometric.data import Batch

from intertwiner.fields import GRAPH, VERTEX, Field, Irreps, Label, Scalar
from intertwiner.schema import Schema
from intertwiner_gauge_mesh.baselines.config import BaselineConfig
from intertwiner_gauge_mesh.calibration import EdgeLengths, spread
from intertwiner_gauge_mesh.errors import InvalidSetting
from intertwiner_gauge_mesh.layers.place import PLACE_WIDTH, place_features
from intertwiner_gauge_mesh.plan import MeshPlan
from intertwiner_gauge_mesh.planner import Planner, welded_mean

__all__ = ["BaselineNetwork", "Fields", "keep_size", "width_of"]

_GAIN = 1.6


class Fields(NamedTuple):
    """Scalars [v, s] and vectors in space [v, c, 3] at the vertices of a plan."""

    scalars: Float[Tensor, "vertices scalars"]
    vectors: Float[Tensor, "vertices vectors 3"]


@torch.no_grad()
def keep_size(network: nn.Module) -> None:
    """Draws the weights of linear layers so that signals neither fade nor grow through SiLU."""
    for module in network.modules():
        if isinstance(module, nn.Linear):
            module.weight.normal_(std=_GAIN / module.in_features**0.5)
            if module.bias is not None:
                module.bias.zero_()


def width_of(target: Field) -> int:
    """How many numbers a target has at a vertex: classes of a label, components of others."""
    if isinstance(target.rep, Label):
        return target.rep.classes or 1
    return target.rep.width


class BaselineNetwork(nn.Module, ABC):
    """Subclasses say how a vertex's numbers come from its fields and the plan.

    `unit` (mean edge length) and the scale and shift of every target are buffers, set by
    `prepare`.
    """

    unit: Tensor
    scales: Tensor

    def __init__(self, config: BaselineConfig, schema: Schema) -> None:
        super().__init__()
        self.schema, self.place = schema, config.place
        given = [field for field in schema.inputs if field.site == VERTEX and field.name != "pos"]
        self.scalars = [field.name for field in given if isinstance(field.rep, Scalar)]
        self.vectors = [field.name for field in given if field.rep == Irreps("1o")]
        if len(self.scalars) + len(self.vectors) < len(given):
            raise InvalidSetting(f"inputs {', '.join(map(str, given))}: scalars and vectors only")
        self.scalar_width = len(self.scalars) + PLACE_WIDTH * config.place
        self.register_buffer("unit", torch.tensor(1.0, dtype=torch.float64))
        self.register_buffer("scales", torch.tensor([[1.0, 0.0]] * len(schema.targets)))
        self.planner = Planner(_plan)

    @abstractmethod
    def values(self, plan: MeshPlan, fields: Fields) -> dict[str, Float[Tensor, "vertices width"]]:
        """For every target its components, or the scores of its classes, of about unit size."""

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """One tensor for every target. Raises what `MeshPlan.from_mesh` raises."""
        plan = self.planner(batch)
        values = self.values(plan, self._fields(batch, plan))
        return {
            field.name: self._finished(field, number, values[field.name], plan)
            for number, field in enumerate(self.schema.targets)
        }

    @torch.no_grad()
    def prepare(self, batches: Iterable[Batch]) -> None:
        """Sets the unit of length and the units of the targets."""
        edges: list[Tensor] = []
        labels: list[list[Tensor]] = [[] for _ in self.schema.targets]
        for batch in batches:
            edges += [plan.length for plan in self.planner.plans(batch)]
            for field, column in zip(self.schema.targets, labels, strict=True):
                if field.name in batch:
                    column.append(batch[field.name].flatten())
        self.unit.fill_(EdgeLengths.of(edges).mean)
        for number, (field, column) in enumerate(zip(self.schema.targets, labels, strict=True)):
            if column and not isinstance(field.rep, Label):
                centred = isinstance(field.rep, Scalar)
                shift, scale = spread(torch.cat(column), centred=centred)
                self.scales[number] = torch.tensor([scale, shift])

    def _fields(self, batch: Batch, plan: MeshPlan) -> Fields:
        kind = plan.pos
        scalars = [batch[name].reshape(len(batch.pos), -1).to(kind) for name in self.scalars]
        vectors = [batch[name].reshape(len(batch.pos), 1, 3).to(kind) for name in self.vectors]
        none = kind.new_zeros(len(batch.pos), 0)
        seen = welded_mean(plan, torch.cat([none, *scalars], 1))
        return Fields(
            torch.cat([seen, place_features(plan)], 1) if self.place else seen,
            welded_mean(plan, torch.cat([none[:, :, None].expand(-1, -1, 3), *vectors], 1)),
        )

    def _finished(self, field: Field, number: int, values: Tensor, plan: MeshPlan) -> Tensor:
        if not isinstance(field.rep, Label):
            scale, shift = self.scales[number].to(values.dtype)
            values = values * scale + shift
        if field.site == GRAPH:
            rows = [
                values[start:stop][plan.used[start:stop]].mean(0)
                for start, stop in zip(plan.ptr, plan.ptr[1:], strict=False)
            ]
            values = torch.stack(rows)
        elif plan.weld is not None:
            values = values[plan.weld]
        return values[:, 0] if field.rep == Scalar() else values


def _plan(pos: Tensor, face: Tensor, frame: Tensor | None) -> MeshPlan:
    """A fold or a vanishing normal is no error for networks that do not transport."""
    return MeshPlan.from_mesh(
        pos,
        face,
        frame="axis" if frame is None else frame,
        on_antipodal="drop",
        on_zero_normal="pca",
        differentiable=pos.requires_grad,
    )
