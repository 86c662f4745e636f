"""An isotropic graph network: every neighbour counts alike, whatever its direction.

h <- SiLU(A h + B mean_q h_q) from all raw inputs: coordinates, normals, fields. Coordinates tell
directions apart, so that nothing is withheld, but the network is not equivariant: it is trained on
randomly turned meshes.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch_geometric.data import Batch

from intertwiner.fields import Field, Irreps
from intertwiner.schema import Schema
from intertwiner.training.objective import Objective
from intertwiner_gauge_mesh.baselines.config import GcnConfig
from intertwiner_gauge_mesh.baselines.network import BaselineNetwork, Fields, keep_size, width_of
from intertwiner_gauge_mesh.layers.ambient import from_irreps, to_irreps
from intertwiner_gauge_mesh.plan import MeshPlan

__all__ = ["Gcn", "build_gcn", "neighbour_mean", "turned_batch"]


class Gcn(BaselineNetwork):
    """See above."""

    def __init__(self, config: GcnConfig, schema: Schema) -> None:
        super().__init__(config, schema)
        self.config = config
        width, channels = 6 + self.scalar_width + 3 * len(self.vectors), config.channels
        widths = [width, *[channels] * config.layers]
        self.own = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(widths))
        self.others = nn.ModuleList(nn.Linear(a, b, bias=False) for a, b in pairwise(widths))
        self.heads = nn.ModuleDict(
            {field.name: nn.Linear(channels, width_of(field)) for field in schema.targets}
        )
        keep_size(self)

    def values(self, plan: MeshPlan, fields: Fields) -> dict[str, Tensor]:
        """Linear read-outs of the last layer."""
        raw = [_centred(plan) / float(self.unit) / 10, plan.normal, fields.scalars]
        h = torch.cat([*raw, fields.vectors.flatten(1)], 1)
        for own, others in zip(self.own, self.others, strict=True):
            h = nn.functional.silu(own(h) + others(neighbour_mean(plan, h)))
        return {name: head(h) for name, head in self.heads.items()}


class TurnedGcn(Gcn):
    """Learns from randomly turned batches."""

    def training_loss(self, batch: Batch) -> Float[Tensor, ""]:
        """The usual loss; of a turned batch while training."""
        objective = Objective(_Same(), self.schema, self._spreads())
        seen = turned_batch(batch, self.schema) if self.training else batch
        return objective.compare(self(seen), seen)

    def _spreads(self) -> dict[str, float]:
        rows = zip(self.schema.targets, self.scales.tolist(), strict=True)
        return {field.name: row[0] for field, row in rows}


class _Same(nn.Module):
    """Stands for the model where only the comparison of an objective is used."""


def build_gcn(config: GcnConfig, schema: Schema) -> Gcn:
    """The network for the targets of `schema`."""
    return (TurnedGcn if config.rotate else Gcn)(config, schema)


def neighbour_mean(
    plan: MeshPlan, values: Float[Tensor, "vertices channels"]
) -> Float[Tensor, "vertices channels"]:
    """The mean over neighbours; zero where there are none."""
    total = torch.zeros_like(values).index_add(0, plan.target, values[plan.source])
    return total / plan.degree.clamp(min=1).to(values.dtype)[:, None]


def turned_batch(batch: Batch, schema: Schema) -> Batch:
    """The batch with all meshes, fields and targets turned by one random rotation.

    It is drawn from torch's own generator, which training seeds at every step.
    """
    rotation = _random_rotation(batch.pos)
    turned: Batch = batch.clone()
    turned.pos = batch.pos @ rotation.T
    for field in (*schema.inputs, *schema.targets):
        if isinstance(field.rep, Irreps) and field.name in batch:
            turned[field.name] = _turn(field, batch[field.name], rotation)
    return turned


def _random_rotation(like: Tensor) -> Float[Tensor, "3 3"]:
    q, r = torch.linalg.qr(torch.randn(3, 3, dtype=torch.float64))
    q = q * torch.sign(torch.diagonal(r))
    return (q * torch.linalg.det(q)).to(like)


def _turn(field: Field, values: Tensor, rotation: Tensor) -> Tensor:
    """Irreps up to order 2."""
    assert isinstance(field.rep, Irreps)
    parts, start = [], 0
    for channels, order, _ in field.rep.blocks:
        width = 2 * order + 1
        part = values[:, start : start + channels * width].reshape(-1, channels, width)
        start += channels * width
        if order == 1:
            part = part @ rotation.T
        elif order == 2:
            full = from_irreps(nn.functional.pad(part, (1, 0)))
            part = to_irreps(rotation @ full @ rotation.T)[..., 1:]
        parts.append(part.flatten(1))
    return torch.cat(parts, 1)


def _centred(plan: MeshPlan) -> Float[Tensor, "vertices 3"]:
    parts = [
        plan.pos[start:stop] - plan.pos[start:stop].mean(0)
        for start, stop in zip(plan.ptr, plan.ptr[1:], strict=False)
    ]
    return torch.cat(parts)
