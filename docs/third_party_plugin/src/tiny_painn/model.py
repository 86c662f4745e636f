"""A network whose scalars stay and whose vectors turn with the molecule."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from intertwiner.data.neighbors import neighbor_list
from intertwiner.fields import Irreps
from intertwiner.schema import Schema
from jaxtyping import Float
from torch import Tensor, nn
from torch_geometric.data import Batch

from tiny_painn.config import PaiNNConfig
from tiny_painn.layers import Features, MessageLayer, MixingLayer

__all__ = ["PaiNN"]


class PaiNN(nn.Module):
    """PaiNN (Schütt et al. 2021, arXiv:2102.03150) with one sum over atoms for every target.

    A scalar target is the sum of a network of the atoms' scalars; a vector target the sum of
    the atoms' vectors, weighted channel by channel.
    """

    def __init__(self, config: PaiNNConfig, schema: Schema) -> None:
        super().__init__()
        self.config, self.targets = config, schema.targets
        self.embedding = nn.Embedding(max(schema.species, default=0) + 1, config.channels)
        self.hear = nn.ModuleList(
            MessageLayer(config.channels, config.waves) for _ in range(config.layers)
        )
        self.mix = nn.ModuleList(MixingLayer(config.channels) for _ in range(config.layers))
        self.readout = nn.ModuleDict(
            {field.name: _readout(field.rep, config.channels) for field in schema.targets}
        )
        for field in schema.targets:
            self.register_buffer(f"mean_{field.name}", torch.zeros(()))
            self.register_buffer(f"size_{field.name}", torch.ones(()))

    def prepare(self, batches: Iterable[Batch]) -> None:
        """Sets every target's mean (of vectors: none) and size from the training labels."""
        kept = list(batches)
        for field in self.targets:
            labels = torch.cat([batch[field.name].reshape(-1) for batch in kept])
            if not isinstance(field.rep, Irreps):
                self.get_buffer(f"mean_{field.name}").copy_(labels.nanmean())
            size = (labels - self.get_buffer(f"mean_{field.name}")).square().nanmean().sqrt()
            self.get_buffer(f"size_{field.name}").copy_(size.clamp(min=1e-6))

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Every target by its name, in the shape its labels have."""
        scalars, vectors = self.features(batch)
        found = {}
        for field in self.targets:
            seen = vectors if isinstance(field.rep, Irreps) else scalars
            atoms = self.readout[field.name](seen).flatten(start_dim=1)
            sums = atoms.new_zeros(batch.num_graphs, atoms.shape[1]).index_add(
                0, batch.batch, atoms
            )
            size = self.get_buffer(f"size_{field.name}")
            value = self.get_buffer(f"mean_{field.name}") + size * sums
            found[field.name] = value.squeeze(1) if value.shape[1] == 1 else value
        return found

    def features(self, batch: Batch) -> Features:
        """Scalars and vectors of every atom after all layers."""
        pairs = neighbor_list(batch.pos, self.config.cutoff, ptr=batch.ptr)
        r = batch.pos[pairs.source] - batch.pos[pairs.target]
        distance = r.norm(dim=1, keepdim=True)
        radial = self.radial(distance)
        scalars = self.embedding(batch.z).to(r.dtype)
        features = scalars, scalars.new_zeros(len(scalars), 3, scalars.shape[1])
        for hear, mix in zip(self.hear, self.mix, strict=True):
            features = hear(features, radial, r / distance, pairs.source, pairs.target)
            features = mix(features)
        return features

    def radial(self, distance: Float[Tensor, "edges 1"]) -> Float[Tensor, "edges waves"]:
        """sin(n pi r / cutoff) / r, fading out as (1 + cos(pi r / cutoff)) / 2 does."""
        phase = math.pi * distance / self.config.cutoff
        order = torch.arange(1, self.config.waves + 1, device=phase.device)
        return torch.sin(order * phase) / distance * (1 + torch.cos(phase)) / 2


def _readout(rep: object, channels: int) -> nn.Module:
    if isinstance(rep, Irreps):
        # Channels of a vector are weighted; a bias would point somewhere.
        return nn.Linear(channels, rep.width // 3, bias=False)
    width = getattr(rep, "width", 1)
    return nn.Sequential(nn.Linear(channels, channels), nn.SiLU(), nn.Linear(channels, width))
