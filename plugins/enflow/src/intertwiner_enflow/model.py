"""Flows as models of intertwiner: trained on batches of records, sampled into records."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch_geometric.data import Batch, Data

from intertwiner.errors import DeclarationError
from intertwiner.fields import Point
from intertwiner.schema import Schema
from intertwiner_enflow.config import (
    ControlFlowConfig,
    EgnnFlowConfig,
    FlowConfig,
    GraphFlowConfig,
)
from intertwiner_enflow.density.convention import check_convention
from intertwiner_enflow.density.sizes import SizePrior
from intertwiner_enflow.dynamics.base import Dynamics
from intertwiner_enflow.dynamics.controls import GraphVelocity, KernelVelocity, SimpleVelocity
from intertwiner_enflow.dynamics.egnn import EgnnVelocity
from intertwiner_enflow.flow import Flow
from intertwiner_enflow.losses.flow_matching import check_alignment, flow_matching_loss
from intertwiner_enflow.losses.likelihood import LikelihoodSettings, negative_log_likelihood
from intertwiner_enflow.records import configurations, targets_of
from intertwiner_enflow.rotations import random_rotations
from intertwiner_enflow.solver.solve import SolverSettings

__all__ = [
    "PositionFlow",
    "build_egnn_flow",
    "build_gnn_flow",
    "build_kernel_flow",
    "build_simple_flow",
]


class PositionFlow(nn.Module):
    """A flow of positions that trains itself on batches: see `FlowConfig` for how.

    Counts its training steps, to change from flow matching to likelihood where that is asked
    for, and remembers the numbers of particles of its training records, to sample as many, and
    what target they follow: records that say another are refused.
    """

    step: Tensor

    def __init__(self, dynamics: Dynamics, config: FlowConfig, particles: int | None = None):
        super().__init__()
        self.config = config
        self.flow = Flow(dynamics, particles, SolverSettings(tolerance=config.tolerance))
        self.likelihood = LikelihoodSettings.from_config(config)
        if config.objective == "flow-matching":
            check_alignment(dynamics, config.align)
        self.register_buffer("step", torch.zeros((), dtype=torch.int64))
        self.sizes = SizePrior()

    def prepare(self, batches: Any) -> None:
        """Counts the sizes of the training records, remembers what target they follow, and takes
        the scale of their coordinates where the settings say so."""
        counts: list[Tensor] = []
        targets: set[str] = set()
        squares, freedom = 0.0, 0
        for batch in batches:
            counts.append(batch.ptr.diff())
            targets |= targets_of(batch)
            for _, x in configurations(batch):
                squares += float(x.double().square().sum())
                freedom += len(x) * (x.shape[1] - 1) * x.shape[2]
        self.sizes.count(torch.cat(counts))
        self.flow.convention.remember_targets(targets)
        if getattr(self.config, "scaled", False) and squares > 0:
            self.flow.scale.fill_((squares / freedom) ** 0.5)

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """The exact log-density of every record, in nats."""
        return {"log_prob": self._by_size(batch)}

    def _by_size(self, batch: Batch) -> Float[Tensor, " records"]:
        for target in sorted(targets_of(batch)):
            check_convention(self.flow, target)
        found = batch.pos.new_zeros(batch.num_graphs)
        for rows, x in configurations(batch):
            found = found.index_copy(0, rows, self.flow.log_prob(x))
        return found

    def training_loss(self, batch: Batch) -> Float[Tensor, ""]:
        """Flow matching or likelihood, averaged over the records."""
        if self.training:
            self.step += 1
        parts = [self._loss(self._turned(x)) * len(x) for _, x in configurations(batch)]
        return torch.stack(parts).sum() / batch.num_graphs

    def _loss(self, x: Float[Tensor, "records n dim"]) -> Float[Tensor, ""]:
        if self.learns_likelihood:
            return negative_log_likelihood(self.flow, x, self.likelihood)
        config = self.config
        return flow_matching_loss(
            self.flow.dynamics,
            x / self.flow.scale,
            aligned=config.align,
            rounds=config.align_rounds,
        )

    @property
    def learns_likelihood(self) -> bool:
        """Whether the present training step is one of likelihood."""
        after = self.config.fine_tune_after
        return self.config.objective == "likelihood" or 0 < after < int(self.step)

    def _turned(self, x: Float[Tensor, "records n dim"]) -> Float[Tensor, "records n dim"]:
        if not (self.training and getattr(self.config, "turn", False)):
            return x
        return x @ random_rotations(len(x), x.shape[-1], None, x.dtype)

    @torch.no_grad()
    def record_figures(self, batch: Batch) -> dict[str, Float[Tensor, " records"]]:
        """Minus the exact log-density of every record, "nll" in nats."""
        return {"nll": -self._by_size(batch)}

    @torch.no_grad()
    def sample(
        self, n: int, *, generator: torch.Generator | None = None, log_prob: bool = True
    ) -> list[Data]:
        """n records, of sizes drawn like the training records', each with its `log_prob`."""
        records: list[Data] = []
        for size, count in self._draw_sizes(n, generator):
            x, found = self.flow.sample(
                count, particles=size, return_log_prob=log_prob, generator=generator
            )
            labels = torch.zeros(size, dtype=torch.int64)
            for number in range(count):
                record = Data(pos=x[number], z=labels)
                if found is not None:
                    record.log_prob = found[number : number + 1]
                records.append(record)
        return records

    def _draw_sizes(self, n: int, generator: torch.Generator | None) -> list[tuple[int, int]]:
        if self.flow.particles is not None:
            return [(int(self.flow.particles), n)]
        drawn = self.sizes.sample(n, generator).bincount()
        return [(size, count) for size, count in enumerate(drawn.tolist()) if count]


def build_egnn_flow(config: EgnnFlowConfig, schema: Schema) -> PositionFlow:
    """`enflow/egnn` for positions of the schema's dimension."""
    dynamics = EgnnVelocity(
        dimension_of(schema),
        config.layers,
        config.features,
        attention=config.attention,
        tanh=config.tanh,
        condition_time=config.condition_time,
    )
    return PositionFlow(dynamics, config, config.particles or None)


def build_gnn_flow(config: GraphFlowConfig, schema: Schema) -> PositionFlow:
    """`enflow/gnn`, the control that is not equivariant."""
    dynamics = GraphVelocity(
        dimension_of(schema), config.layers, config.features, attention=config.attention
    )
    return PositionFlow(dynamics, config)


def build_simple_flow(config: ControlFlowConfig, schema: Schema) -> PositionFlow:
    """`enflow/simple`, minus the gradient of a learned pair potential."""
    return PositionFlow(SimpleVelocity(dimension_of(schema), config.largest_distance), config)


def build_kernel_flow(config: ControlFlowConfig, schema: Schema) -> PositionFlow:
    """`enflow/kernel`, a radial field of distance and time."""
    return PositionFlow(KernelVelocity(dimension_of(schema), config.largest_distance), config)


def dimension_of(schema: Schema) -> int:
    """Of the positions in the schema. Raises `DeclarationError` when it has none."""
    for field in schema.inputs:
        if field.name == "pos" and isinstance(field.rep, Point):
            return field.rep.width
    raise DeclarationError("a flow needs the input 'pos', points in space")
