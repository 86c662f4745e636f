"""The benchmark's message passing network, evaluated once for every distinct message.

Gilmer et al. (arXiv:1704.01212) in the form of Zhu et al. (arXiv:2109.07258): projected features,
three steps of an edge-conditioned convolution with a gated recurrent unit, Set2Set, two layers.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch_geometric.data import Batch

from intertwiner.schema import Schema
from intertwiner_fedchem.config import MPNNConfig
from intertwiner_fedchem.data.codes import SELF_LOOP
from intertwiner_fedchem.data.features import (
    ATOM_FEATURES,
    BOND_FEATURES,
    atom_features,
    bond_features,
)
from intertwiner_fedchem.layers.edge_convolution import EdgeConvolution
from intertwiner_fedchem.layers.gated_update import GatedUpdate
from intertwiner_fedchem.layers.message_plan import Edges, colour_plan, edges_of, grouped_plan
from intertwiner_fedchem.layers.set2set import Set2Set
from intertwiner_fedchem.models.columns import Columns

__all__ = ["MPNN"]


class MPNN(nn.Module):
    """229,892 + 65 T parameters with default settings and T columns of targets.

    Without `standardise` the loss is the benchmark's squared error in the label's own unit.
    """

    def __init__(self, config: MPNNConfig, schema: Schema) -> None:
        super().__init__()
        width = config.width
        self.steps = config.steps
        self.make_plan = colour_plan if config.messages == "colours" else grouped_plan
        self.atom_projector = nn.Linear(ATOM_FEATURES, ATOM_FEATURES)
        self.bond_projector = nn.Linear(BOND_FEATURES, BOND_FEATURES)
        self.input = nn.Linear(ATOM_FEATURES, width)
        self.convolution = EdgeConvolution(width, BOND_FEATURES, config.edge_hidden)
        self.gru = GatedUpdate(width)
        self.readout = Set2Set(width, config.readout_steps, config.readout_layers)
        self.columns = Columns(schema, standardise=config.standardise)
        self.target_spreads = (
            {} if config.standardise else {field.name: 1.0 for field in schema.targets}
        )
        self.head = nn.Sequential(
            nn.Linear(2 * width, width), nn.ReLU(), nn.Linear(width, self.columns.total)
        )

    def prepare(self, batches: Iterable[Batch]) -> None:
        """Offset and scale of the targets from all training batches."""
        self.columns.prepare(batches)

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """One tensor per target: [graphs] of a scalar, [graphs, 2] scores of a label."""
        return self.outputs(self.embedding(batch))

    def outputs(self, embedding: Float[Tensor, "graphs twice_width"]) -> dict[str, Tensor]:
        """The targets, in their units, of embeddings."""
        found: dict[str, Tensor] = self.columns(self.head(embedding))
        return found

    def embedding(self, batch: Batch) -> Float[Tensor, "graphs twice_width"]:
        """The read-out of every molecule."""
        plan = self.make_plan(batch.atom_code, self.edges(batch), self.steps)
        dtype = self.input.weight.dtype
        atoms = self.atom_projector(atom_features(plan.atom_codes, dtype))
        bonds = self.bond_projector(bond_features(plan.types, dtype))
        states = torch.relu(self.input(atoms))
        matrices = self.convolution.matrices(bonds)
        for step in plan.steps:
            received = torch.relu(self.convolution(states, matrices, step))
            states = self.gru(received, states, step.previous)
        return self._read(states.index_select(0, plan.expand), batch.ptr)

    def edges(self, batch: Batch) -> Edges:
        """Bonds in both directions, then one self-loop per atom."""
        return edges_of(batch.edge_index, batch.bond_code, len(batch.atom_code), SELF_LOOP)

    def embed(self, batch: Batch) -> tuple[Float[Tensor, "atoms 74"], Float[Tensor, "edges 13"]]:
        """Projected features of every atom and every edge, self-loops last: what a virtual
        adversary perturbs.
        """
        dtype, edges = self.input.weight.dtype, self.edges(batch)
        bonds = self.bond_projector(bond_features(edges.types, dtype))
        atoms = self.atom_projector(atom_features(batch.atom_code, dtype))
        return atoms, bonds.index_select(0, edges.kind)

    def forward_from(
        self, atoms: Float[Tensor, "atoms 74"], bonds: Float[Tensor, "edges 13"], batch: Batch
    ) -> dict[str, Tensor]:
        """The outputs from projected features, of which no two need be alike."""
        edges = self.edges(batch)
        states = torch.relu(self.input(atoms))
        every = torch.arange(len(states), device=states.device)
        distinct = self.convolution.distinct(bonds, edges.source, len(atoms))
        for _ in range(self.steps):
            received = self.convolution.of_distinct_edges(states, distinct, edges.target)
            states = self.gru(torch.relu(received), states, every)
        return self.outputs(self._read(states, batch.ptr))

    def _read(
        self, states: Float[Tensor, "atoms width"], ptr: Int[Tensor, " graphs+1"]
    ) -> Float[Tensor, "graphs twice_width"]:
        found: Tensor = self.readout(states, ptr)
        return found
