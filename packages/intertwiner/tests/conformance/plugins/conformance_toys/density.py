"""A density of particles in any dimension, and the lies told with it."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch_geometric.data import Batch, Data

from conformance_toys.config import GaussianConfig
from intertwiner.schema import Schema


class Gaussian(nn.Module):
    """Normal about the centre, with a width for each distance scale mixed by a parameter."""

    def __init__(self, config: GaussianConfig, schema: Schema) -> None:
        super().__init__()
        assert schema.targets == ()
        self.dimension = schema.inputs[0].rep.width
        self.fault = config.fault
        self.log_scale = nn.Parameter(torch.zeros(()))

    def nll(self, batch: Batch) -> Tensor:
        sizes = batch.ptr[1:] - batch.ptr[:-1]
        sums = batch.pos.new_zeros(len(sizes), self.dimension)
        centre = sums.index_add(0, batch.batch, batch.pos) / sizes[:, None]
        place = batch.pos - centre[batch.batch]
        if self.fault == "axis":
            place = place * torch.arange(1, 1 + self.dimension)
        per_node = place.square().sum(1)
        squares = per_node.new_zeros(len(sizes)).index_add(0, batch.batch, per_node)
        freedom = (sizes - 1) * self.dimension
        normaliser = freedom * (math.log(2 * math.pi) / 2 + self.log_scale)
        found = squares * torch.exp(-2 * self.log_scale) / 2 + normaliser
        return found + found.mean() if self.fault == "company" else found

    def training_loss(self, batch: Batch) -> Tensor:
        return self.nll(batch).mean()

    def record_figures(self, batch: Batch) -> dict[str, Tensor]:
        return {"nll": self.nll(batch)}

    def sample(self, n: int, *, generator: torch.Generator) -> list[Data]:
        drawn = None if self.fault == "global random numbers" else generator
        pos = torch.randn(n, 5, self.dimension, generator=drawn) * self.log_scale.exp()
        if self.fault == "one too few":
            pos = pos[1:]
        return [Data(pos=each, log_prob=torch.zeros(1)) for each in pos]


def silent(config, schema):
    """Brings a loss and no figures."""

    class Silent(Gaussian):
        record_figures = property()

    return Silent(config, schema)
