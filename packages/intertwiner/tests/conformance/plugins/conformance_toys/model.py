"""An honest model of distances, and every lie told with it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from conformance_toys.config import DistanceNetConfig
from intertwiner.errors import DataError, DeclarationError
from intertwiner.fields import GRAPH, Irreps, Scalar
from intertwiner.schema import Schema


class DistanceNet(nn.Module):
    """Sums over pairs a function of species and squared distance, times r_ij for vectors."""

    def __init__(self, config: DistanceNetConfig, schema: Schema) -> None:
        super().__init__()
        self.schema = schema
        self.register_buffer("species", torch.tensor(schema.species))
        self.register_buffer("level", torch.zeros(1))
        self.centre = nn.Embedding(len(schema.species), config.channels)
        self.neighbour = nn.Embedding(len(schema.species), config.channels)
        self.decay = nn.Parameter(torch.linspace(0.3, 1.5, config.channels))
        heads = {t.name: nn.Linear(config.channels, self.width(t), bias=False) for t in self.free()}
        self.heads = nn.ModuleDict(heads)
        for head in self.heads.values():
            nn.init.zeros_(head.weight)

    def free(self):
        return [target for target in self.schema.targets if target.name != "forces"]

    @staticmethod
    def width(target) -> int:
        return target.rep.channels if isinstance(target.rep, Scalar) else target.rep.width // 3

    def prepare(self, batches) -> None:
        self.level.fill_(sum(batch.num_nodes for batch in batches))

    def pairs(self, batch) -> Tensor:
        same = batch.batch[:, None] == batch.batch[None]
        return (same & ~torch.eye(len(same), dtype=torch.bool, device=same.device)).nonzero().T

    def features(self, batch, pos: Tensor) -> tuple[Tensor, Tensor]:
        """Scalars [nodes, channels] and vectors [nodes, channels, 3]."""
        kind = torch.searchsorted(self.species, batch.z)
        target, source = self.pairs(batch)
        arrow = pos[source] - pos[target]
        decay = torch.exp(-(self.decay**2) * arrow.square().sum(1, keepdim=True))
        message = self.centre(kind)[target] * self.neighbour(kind)[source] * decay
        zeros = self.centre(kind) * self.neighbour(kind) + self.level / 100
        scalars = zeros.index_add(0, target, message)
        vectors = zeros.new_zeros(*zeros.shape, 3)
        return scalars, vectors.index_add(0, target, message[:, :, None] * arrow[:, None])

    def forward(self, batch) -> dict[str, Tensor]:
        forces = any(target.name == "forces" for target in self.schema.targets)
        with torch.enable_grad():
            pos = batch.pos.requires_grad_() if forces else batch.pos
            scalars, vectors = self.features(batch, pos)
            outputs = {t.name: self.read(t, batch, scalars, vectors) for t in self.free()}
            if forces:
                energy = outputs["energy"].sum()
                (slope,) = torch.autograd.grad(energy, pos, create_graph=True)
                outputs["forces"] = -slope
        return outputs

    def read(self, target, batch, scalars: Tensor, vectors: Tensor) -> Tensor:
        weight = self.heads[target.name].weight
        if isinstance(target.rep, Scalar):
            rows = scalars @ weight.T
        else:
            rows = torch.einsum("nci,wc->nwi", vectors, weight).flatten(1)
        if target.site == GRAPH:
            rows = rows.new_zeros(batch.num_graphs, rows.shape[1]).index_add(0, batch.batch, rows)
        return rows[:, 0] if target.rep == Scalar() else rows


class Liar(DistanceNet):
    """`DistanceNet` with the fault that its settings name."""

    def __init__(self, config: DistanceNetConfig, schema: Schema) -> None:
        super().__init__(config, schema)
        self.fault = config.fault
        self.calls = 0
        if self.fault == "dead parameter":
            self.unused = nn.Linear(2, 2)
        if self.fault == "unsaved state":
            self.scale = torch.rand(()).item() + 1

    def forward(self, batch) -> dict[str, Tensor]:
        outputs = super().forward(batch)
        self.calls += 1
        lie = LIES.get(self.fault)
        return outputs if lie is None else {n: lie(self, batch, v) for n, v in outputs.items()}

    def prepare(self, batches) -> None:
        if self.fault == "unsaved preparation":
            self.scale = 3.0
        else:
            super().prepare(batches)


def rows(batch, value: Tensor, per_node: Tensor) -> Tensor:
    """A number per node, or its sum per graph, shaped to be added to `value`."""
    if len(value) != len(per_node):
        per_node = per_node.new_zeros(batch.num_graphs).index_add(0, batch.batch, per_node)
    return per_node.view(-1, *[1] * (value.dim() - 1)).to(value.dtype)


def crash(model, batch, value):
    raise RuntimeError("matrix is not\npositive definite")


def refuse_lone_atoms(model, batch, value):
    if batch.num_nodes == 1:
        raise DataError("one atom: this model needs two")
    return value


def norm_ordered(model, batch, value):
    return value.sort(dim=-1).values if value.dim() == 2 else value


def company(model, batch, value):
    return value + 1e-3 * batch.pos.norm(dim=1).mean()


def unguarded_norm(model, batch, value):
    target, source = model.pairs(batch)
    lengths = (batch.pos[source] - batch.pos[target]).norm(dim=1)
    inverse = torch.zeros_like(batch.pos[:, 0]).index_add(0, target, (-lengths.sqrt()).exp())
    return value * (1 + rows(batch, value, inverse))


def unit_dipole(model, batch, value):
    return value / value.norm(dim=-1, keepdim=True) if value.dim() == 2 else value


LIES = {
    "x coordinate": lambda m, b, v: v + rows(b, v, 1e-3 * b.pos[:, 0]),
    "norm ordered": norm_ordered,
    "constant": lambda m, b, v: torch.ones_like(v) + 0 * v,
    "zero": lambda m, b, v: 0 * v,
    "batch mates": company,
    "node order": lambda m, b, v: (
        v * (1 + rows(b, v, (b.ptr[b.batch] == torch.arange(b.num_nodes)) * b.z))
    ),
    "float32 inside": lambda m, b, v: v.float(),
    "float32 in between": lambda m, b, v: v.float().to(v.dtype),
    "singular": unguarded_norm,
    "unit vector": unit_dipole,
    "call counter": lambda m, b, v: v + m.calls,
    "noise": lambda m, b, v: v + torch.rand(()),
    "unsaved state": lambda m, b, v: v * m.scale,
    "unsaved preparation": lambda m, b, v: v * getattr(m, "scale", 1.0),
    "crash": crash,
    "wrong shape": lambda m, b, v: v[:-1],
    "refuses lone atoms": refuse_lone_atoms,
}


def not_a_module(config, schema):
    return lambda batch: {}


def tensor_only(config, schema):
    class Bare(DistanceNet):
        def forward(self, batch):
            return super().forward(batch)["target"]

    return Bare(config, schema)


LOSSES = {
    "plain": lambda value: value.square().mean(),
    "several": lambda value: value.square(),
    "nan": lambda value: value.mean() * float("nan"),
    "detached": lambda value: value.detach().mean(),
    "steep": lambda value: value.mean() + (value.mean() * 0).abs().sqrt(),
}


def with_loss(config, schema):
    """Brings the training loss that its settings name."""

    class Learner(DistanceNet):
        def training_loss(self, batch):
            return LOSSES[config.fault](self(batch)["target"])

    return Learner(config, schema)


def narrow(config, schema):
    """Gives one channel only, and says so when asked for more."""
    if any(target.rep not in (Scalar(), Irreps("1o")) for target in schema.targets):
        raise DeclarationError("this network gives one channel")
    return DistanceNet(config, schema)


def always_narrow(config, schema):
    """Gives one channel, whatever it is asked for."""

    class First(DistanceNet):
        def forward(self, batch):
            return {
                n: v.flatten(1)[:, 0] if v.dim() == 2 else v
                for n, v in super().forward(batch).items()
            }

    return First(config, schema)


def left_handed(config, schema):
    """Tells left from right: a triple product of moments."""

    class Handed(DistanceNet):
        def forward(self, batch):
            from intertwiner.conformance.structures.asymmetries import ASYMMETRIES

            given = super().forward(batch)
            sense = 1 + 0.1 * ASYMMETRIES["handedness"](batch)
            return {n: torch.einsum("g...,g->g...", v, sense) for n, v in given.items()}

    return Handed(config, schema)
