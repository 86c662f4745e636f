"""A graph isomorphism network on bonds, each distinct state computed once."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch_geometric.data import Batch

from intertwiner.schema import Schema
from intertwiner_fedchem.config import GINConfig
from intertwiner_fedchem.data.codes import SELF_LOOP
from intertwiner_fedchem.data.features import (
    ATOM_FEATURES,
    BOND_FEATURES,
    atom_features,
    bond_features,
)
from intertwiner_fedchem.layers.gin_convolution import GINConvolution
from intertwiner_fedchem.layers.message_plan import colour_plan, edges_of
from intertwiner_fedchem.models.columns import Columns

__all__ = ["GIN"]


class GIN(nn.Module):
    """Convolutions with residuals, the sum over the atoms, two layers."""

    def __init__(self, config: GINConfig, schema: Schema) -> None:
        super().__init__()
        width = config.width
        self.input = nn.Linear(ATOM_FEATURES, width)
        self.convolutions = nn.ModuleList(
            GINConvolution(width, BOND_FEATURES) for _ in range(config.layers)
        )
        self.columns = Columns(schema, standardise=config.standardise)
        self.head = nn.Sequential(
            nn.Linear(width, width), nn.ReLU(), nn.Linear(width, self.columns.total)
        )

    def prepare(self, batches: Iterable[Batch]) -> None:
        """Offset and scale of the targets from all training batches."""
        self.columns.prepare(batches)

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """One tensor per target: [graphs] of a scalar, [graphs, 2] scores of a label."""
        found: dict[str, Tensor] = self.columns(self.head(self.embedding(batch)))
        return found

    def embedding(self, batch: Batch) -> Float[Tensor, "graphs width"]:
        """The sum of the atoms' last states, divided by the root of their number."""
        atoms = len(batch.atom_code)
        edges = edges_of(batch.edge_index, batch.bond_code, atoms, SELF_LOOP)
        plan = colour_plan(batch.atom_code, edges, len(self.convolutions))
        dtype = self.input.weight.dtype
        types = bond_features(plan.types, dtype)
        states = torch.relu(self.input(atom_features(plan.atom_codes, dtype)))
        for convolution, step in zip(self.convolutions, plan.steps, strict=True):
            states = states.index_select(0, step.previous) + convolution(states, types, step)
        sizes = batch.ptr.diff()
        summed = states.new_zeros(len(sizes), states.shape[1])
        summed = summed.index_add(0, batch.batch, states.index_select(0, plan.expand))
        return summed / sizes.clamp(min=1).sqrt().to(dtype)[:, None]
