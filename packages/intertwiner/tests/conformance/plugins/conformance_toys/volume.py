"""A model on voxels whose kernels depend on the distance alone, and the lies told with it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from conformance_toys.config import DistanceNetConfig
from intertwiner.fields import GRAPH, Irreps, Scalar
from intertwiner.schema import Schema


class VolumeNet(nn.Module):
    """h = tanh(K * f); graph scalars are its mean, vectors in space its gradient."""

    def __init__(self, config: DistanceNetConfig, schema: Schema) -> None:
        super().__init__()
        self.schema, self.fault = schema, config.fault
        (field,) = schema.inputs
        self.field = field.name
        axis = torch.arange(-1, 2)
        squares = axis[:, None, None] ** 2 + axis[:, None] ** 2 + axis**2
        self.register_buffer("shells", nn.functional.one_hot(squares, 4).double().movedim(-1, 0))
        self.radial = nn.Parameter(torch.randn(config.channels, field.rep.width, 4))
        if self.fault == "free kernel":
            self.radial = nn.Parameter(torch.randn(config.channels, field.rep.width, 27))
        self.heads = nn.ModuleDict(
            {t.name: nn.Linear(config.channels, self.width(t), bias=False) for t in schema.targets}
        )

    @staticmethod
    def width(target) -> int:
        return target.rep.width // 3 if isinstance(target.rep, Irreps) else target.rep.width

    def forward(self, batch) -> dict[str, Tensor]:
        if self.fault == "free kernel":
            kernel = self.radial.unflatten(-1, (3, 3, 3))
        else:
            kernel = torch.einsum("oir,rxyz->oixyz", self.radial, self.shells.to(self.radial))
        hidden = torch.tanh(nn.functional.conv3d(batch[self.field], kernel, padding=1))
        return {t.name: self.read(t, hidden) for t in self.schema.targets}

    def read(self, target, hidden: Tensor) -> Tensor:
        mixed = torch.einsum("bcxyz,wc->bwxyz", hidden, self.heads[target.name].weight)
        if isinstance(target.rep, Irreps):
            slopes = [torch.roll(mixed, -1, d) - torch.roll(mixed, 1, d) for d in (2, 3, 4)]
            mixed = torch.stack(slopes, 2).flatten(1, 2)
        if target.site == GRAPH:
            scalar = target.rep == Scalar()
            rows = (mixed.square() if scalar else mixed).mean((2, 3, 4))
            return rows[:, 0] if scalar else rows
        return mixed
