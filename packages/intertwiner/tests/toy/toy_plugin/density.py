from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch_geometric.data import Batch, Data

from intertwiner.schema import Schema
from toy_plugin.config import NoSettings


class Gaussian(nn.Module):
    """log p(x) = -|x|^2 / 2s^2 - dof ln(2 pi s^2) / 2 about the centre, dof = (n - 1) dimension."""

    figure_units = {"nll": "nats", "radius": "1"}  # noqa: RUF012
    count: Tensor

    def __init__(self, config: NoSettings, schema: Schema) -> None:
        super().__init__()
        (pos,) = schema.inputs
        self.dimension = pos.rep.width
        self.log_scale = nn.Parameter(torch.zeros(()))
        self.register_buffer("count", torch.tensor(0))

    def prepare(self, batches: Iterable[Batch]) -> None:
        self.count.fill_(max(int((batch.ptr[1:] - batch.ptr[:-1]).max()) for batch in batches))

    def squares(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """|x|^2 about the centre, and degrees of freedom, [graphs] each."""
        sizes = batch.ptr[1:] - batch.ptr[:-1]
        sums = batch.pos.new_zeros(len(sizes), self.dimension)
        centre = sums.index_add(0, batch.batch, batch.pos) / sizes[:, None]
        per_node = (batch.pos - centre[batch.batch]).square().sum(1)
        found = per_node.new_zeros(len(sizes)).index_add(0, batch.batch, per_node)
        return found, (sizes - 1) * self.dimension

    def nll(self, batch: Batch) -> Tensor:
        squares, freedom = self.squares(batch)
        normaliser = freedom * (math.log(2 * math.pi) / 2 + self.log_scale)
        return squares * torch.exp(-2 * self.log_scale) / 2 + normaliser

    def training_loss(self, batch: Batch) -> Tensor:
        return (self.nll(batch) * (1 + 0.01 * torch.rand(batch.num_graphs))).mean()

    def record_figures(self, batch: Batch) -> dict[str, Tensor]:
        return {"nll": self.nll(batch), "radius": self.squares(batch)[0].sqrt()}

    def sample(self, n: int, *, generator: torch.Generator) -> list[Data]:
        shape = (n, int(self.count), self.dimension)
        pos = torch.randn(shape, generator=generator) * self.log_scale.exp()
        pos = pos - pos.mean(1, keepdim=True)
        z = torch.zeros(int(self.count), dtype=torch.long)
        records = [Data(pos=each, z=z) for each in pos]
        log_prob = -self.nll(Batch.from_data_list(records))
        for record, value in zip(records, log_prob, strict=True):
            record.log_prob = value.reshape(1)
        return records
