"""SchNet as the benchmark uses it on QM9: one sum over atoms for every target."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch_geometric.data import Batch

from intertwiner.data.neighbors import neighbor_list
from intertwiner.schema import Schema
from intertwiner_fedchem.config import SchNetConfig
from intertwiner_fedchem.layers.continuous_filter import (
    ContinuousFilter,
    gaussians,
    shifted_softplus,
)
from intertwiner_fedchem.models.columns import Columns

__all__ = ["SchNet"]

ELEMENTS = 100


class SchNet(nn.Module):
    """456,524 parameters with default settings and twelve targets."""

    def __init__(self, config: SchNetConfig, schema: Schema) -> None:
        super().__init__()
        width = config.width
        self.cutoff, self.basis = config.cutoff, config.basis
        self.embed = nn.Embedding(ELEMENTS, width)
        self.blocks = nn.ModuleList(
            ContinuousFilter(width, config.basis, config.cutoff) for _ in range(config.blocks)
        )
        self.columns = Columns(schema, standardise=config.standardise)
        self.head_in = nn.Linear(width, width // 2)
        self.head_out = nn.Linear(width // 2, self.columns.total)
        for layer in (self.head_in, self.head_out):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def prepare(self, batches: Iterable[Batch]) -> None:
        """Offset and scale of the targets from all training batches."""
        self.columns.prepare(batches)

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """One tensor per target, [graphs] of a scalar."""
        atoms = self.head_out(shifted_softplus(self.head_in(self.states(batch))))
        found: dict[str, Tensor] = self.columns(self._summed(atoms, batch))
        return found

    def embedding(self, batch: Batch) -> Float[Tensor, "graphs width"]:
        """The sum of the atoms' last states."""
        return self._summed(self.states(batch), batch)

    def states(self, batch: Batch) -> Float[Tensor, "atoms width"]:
        """The last state of every atom, from the distances within the cutoff."""
        found = neighbor_list(batch.pos, self.cutoff, ptr=batch.ptr)
        pos, source, target = batch.pos, found.source, found.target
        reach = pos.index_select(0, source) + found.shift.to(pos.dtype)
        distance = (reach - pos.index_select(0, target)).norm(dim=1)
        basis = gaussians(distance, self.cutoff, self.basis)
        states: Tensor = self.embed(batch.z)
        for block in self.blocks:
            states = states + block(states, distance, basis, source, target)
        return states

    def _summed(
        self, atoms: Float[Tensor, "atoms width"], batch: Batch
    ) -> Float[Tensor, "graphs width"]:
        summed = torch.zeros(
            batch.num_graphs, atoms.shape[1], device=atoms.device, dtype=atoms.dtype
        )
        return summed.index_add(0, batch.batch, atoms)
