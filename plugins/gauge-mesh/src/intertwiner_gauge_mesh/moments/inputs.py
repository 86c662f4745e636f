"""What the network of moments starts from: fields, their moments, and those of the shape."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch_geometric.data import Batch

from intertwiner.fields import VERTEX, Field, Scalar
from intertwiner_gauge_mesh.errors import InvalidSetting
from intertwiner_gauge_mesh.inputs import InputFeatures
from intertwiner_gauge_mesh.moments.features import (
    FIELD_TYPE,
    SHAPE_TYPE,
    field_moments,
    shape_moments,
)
from intertwiner_gauge_mesh.plan import MeshPlan
from intertwiner_gauge_mesh.planner import welded_mean
from intertwiner_gauge_mesh.types import FeatureType

__all__ = ["MomentInputs"]

BOUND: Final = 8.0
"""What the modulus of a channel approaches, in its own size: slivers have moments far from all."""


class MomentInputs(nn.Module):
    """Features of type `kind`, every channel of about unit size over the training meshes and
    bounded, |z| / sqrt(1 + |z|^2 / 64), so that a degenerate neighbourhood stays harmless.

    names, fields: as of `InputFeatures`; all scalar fields of one channel have their moments
    taken. `unit`, a length, `shift` (of scalars) and `scale` are buffers, set by `fit`.
    """

    unit: Tensor
    shift: Tensor
    scale: Tensor

    def __init__(self, names: Sequence[str], fields: Iterable[Field]) -> None:
        super().__init__()
        fields = [field for field in fields if field.site == VERTEX and field.name != "pos"]
        self.scalars = [field.name for field in fields if field.rep == Scalar()]
        self.given = InputFeatures(names, fields) if names or fields else None
        kinds = [SHAPE_TYPE, *(FIELD_TYPE for _ in self.scalars)]
        kinds += [self.given.kind] if self.given is not None else []
        if any(kind.order > 2 for kind in kinds):
            raise InvalidSetting("inputs: orders up to 2 are read")
        self.kinds = kinds
        counts = [sum(_count(kind, order) for kind in kinds) for order in range(3)]
        self.kind = FeatureType.parse(counts)
        self.register_buffer("unit", torch.tensor(1.0, dtype=torch.float64))
        self.register_buffer("shift", torch.zeros(self.kind.scalars))
        self.register_buffer("scale", torch.ones(self.kind.channels))

    def forward(self, batch: Batch, plan: MeshPlan) -> Float[Tensor, "vertices width"]:
        """Rows of the plan, in its frames."""
        parts = []
        raw = self.raw(batch, plan)
        scales = self.scale.to(raw.dtype).split(self.kind.multiplicities)
        for block, scale in zip(self.kind.blocks, scales, strict=True):
            values = raw[:, block.start : block.stop].reshape(len(raw), -1, block.count)
            if block.order == 0:
                values = values - self.shift.to(raw.dtype)
            values = values / scale
            size = values.square().sum(1, keepdim=True)
            parts.append((values * (1 + size / BOUND**2).rsqrt()).flatten(1))
        return torch.cat(parts, 1)

    def raw(self, batch: Batch, plan: MeshPlan) -> Float[Tensor, "vertices width"]:
        """Before shift and scale."""
        unit = float(self.unit)
        rows = [shape_moments(plan, unit)]
        for name in self.scalars:
            values = welded_mean(plan, batch[name].to(plan.pos.dtype))
            rows.append(field_moments(plan, values, unit))
        if self.given is not None:
            rows.append(self.given(batch, plan))
        orders: list[list[Tensor]] = [[], [], []]
        for row, kind in zip(rows, self.kinds, strict=True):
            for block in kind.blocks:
                part = row[:, block.start : block.stop]
                orders[block.order].append(part.reshape(len(row), -1, block.count))
        return torch.cat([torch.cat(found, 2).flatten(1) for found in orders if found], 1)

    def fit(self, pairs: Iterable[tuple[Batch, MeshPlan]], unit: float) -> None:
        """Sets the unit of length, and shift and scale from batches and their plans."""
        self.unit.fill_(unit)
        if self.given is not None:
            self.given.unit.fill_(unit)
        total = square = torch.zeros(self.kind.width, dtype=torch.float64)
        count = 0
        for batch, plan in pairs:
            raw = self.raw(batch, plan).double().cpu()
            total, square, count = (
                total + raw.sum(0),
                square + raw.square().sum(0),
                count + len(raw),
            )
        mean, second = total / count, square / count
        self.shift.copy_(mean[: self.kind.scalars])
        second[: self.kind.scalars] -= mean[: self.kind.scalars].square()
        self.scale.copy_(self._spread(second.clamp(min=0)))

    def _spread(self, second: Float[Tensor, " width"]) -> Float[Tensor, " channels"]:
        """Root mean square of the modulus of every channel; 1 for a channel that never varies."""
        bounds = [block.start for block in self.kind.blocks] + [self.kind.width]
        parts = [
            second[start:stop].reshape(-1, block.count).sum(0)
            for block, (start, stop) in zip(self.kind.blocks, pairwise(bounds), strict=True)
        ]
        found = torch.cat(parts).sqrt()
        return torch.where(found > 1e-9, found, torch.ones_like(found))


def _count(kind: FeatureType, order: int) -> int:
    return kind.multiplicities[order] if order <= kind.order else 0
