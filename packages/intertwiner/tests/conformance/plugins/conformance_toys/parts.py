"""Toy models of complexes and of molecular graphs."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from conformance_toys.config import DistanceNetConfig
from conformance_toys.model import DistanceNet
from intertwiner.fields import GRAPH, Scalar
from intertwiner.schema import Schema


class Affinity(DistanceNet):
    """Sums over pairs of atoms of different parts alone."""

    def __init__(self, config: DistanceNetConfig, schema: Schema) -> None:
        super().__init__(config, schema)
        self.fault = config.fault
        self.weight = nn.Parameter(torch.ones(2))
        nn.init.uniform_(self.decay, 0.05, 0.3)

    def features(self, batch, pos: Tensor) -> tuple[Tensor, Tensor]:
        scalars, vectors = super().features(batch, pos)
        sides = self.weight[batch.part][:, None]
        if self.fault == "first atom":
            first = torch.arange(len(batch.part)) == batch.ptr[batch.batch]
            sides = sides * (1 + first[:, None])
        return scalars * sides, vectors * sides[:, :, None]

    def pairs(self, batch) -> Tensor:
        pairs = super().pairs(batch)
        if self.fault == "parts ignored":
            return pairs
        return pairs[:, batch.part[pairs[0]] != batch.part[pairs[1]]]


class GraphNet(nn.Module):
    """y = sum_i f(x_i, sum_j A e_ij x_j) over the molecular graph."""

    def __init__(self, config: DistanceNetConfig, schema: Schema) -> None:
        super().__init__()
        self.schema, self.fault = schema, config.fault
        widths = {field.name: field.rep.width for field in schema.inputs}
        node, edge = widths["x"], widths["edge_attr"]
        self.node = nn.Linear(node, config.channels)
        self.edge = nn.Linear(edge, config.channels, bias=False)
        width = sum(target.rep.width for target in schema.targets)
        self.out = nn.Linear(config.channels, width)

    def forward(self, batch) -> dict[str, Tensor]:
        hidden = torch.tanh(self.node(batch.x))
        source, target = batch.edge_index
        message = hidden[source] * self.edge(batch.edge_attr)
        if self.fault == "order of bonds":
            message = message * (1 + torch.cos(torch.arange(len(message))))[:, None]
        rows = self.out(torch.tanh(hidden.index_add(0, target, message)))
        pieces = rows.split([target.rep.width for target in self.schema.targets], 1)
        return {
            t.name: self.pool(t, batch, piece)
            for t, piece in zip(self.schema.targets, pieces, strict=True)
        }

    def pool(self, target, batch, rows: Tensor) -> Tensor:
        if target.site == GRAPH:
            rows = rows.new_zeros(batch.num_graphs, rows.shape[1]).index_add(0, batch.batch, rows)
        return rows[:, 0] if target.rep == Scalar() else rows
