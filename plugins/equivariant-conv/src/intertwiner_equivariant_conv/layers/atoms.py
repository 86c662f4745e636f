"""A batch of molecules as the layers see it: atoms, their elements, and the pairs within reach."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch_geometric.data import Batch

from intertwiner.data.neighbors import neighbor_list
from intertwiner_equivariant_conv.errors import InvalidInput, InvalidSetting, WrongType

__all__ = ["Atoms", "CloseAtoms", "Elements", "Pairs", "find_pairs"]

CLOSE = 0.2
"""Atoms nearer than this, in angstrom, are no molecule: a warning says so."""


class CloseAtoms(UserWarning):
    """Two atoms are nearer to each other than in any molecule."""


@dataclass(frozen=True, slots=True)
class Atoms:
    """Atoms of `graphs` molecules, molecule after molecule. pos in angstrom."""

    pos: Float[Tensor, "atoms 3"]
    element: Int[Tensor, " atoms"]
    graph: Int[Tensor, " atoms"]
    graphs: int

    def sum(self, values: Float[Tensor, atoms * rest]) -> Float[Tensor, graphs * rest]:
        """Atomic values summed over every molecule; 0 for one without atoms."""
        return values.new_zeros(self.graphs, *values.shape[1:]).index_add(0, self.graph, values)

    @property
    def counts(self) -> Float[Tensor, " graphs"]:
        """Number of atoms of every molecule."""
        return self.sum(torch.ones_like(self.pos[:, 0]))

    def composition(self, elements: int) -> Float[Tensor, "graphs elements"]:
        """How many atoms of every element a molecule has."""
        return self.sum(nn.functional.one_hot(self.element, elements).to(self.pos))

    def centred(self) -> Float[Tensor, "atoms 3"]:
        """Positions relative to the mean of the molecule's atoms, in angstrom."""
        counts = self.counts.clamp(min=1.0)
        return self.pos - (self.sum(self.pos) / counts.unsqueeze(1))[self.graph]


@dataclass(frozen=True, slots=True)
class Pairs:
    """Edges sorted by target; `distance` in angstrom, unit `direction` from target to source."""

    source: Int[Tensor, " edges"]
    target: Int[Tensor, " edges"]
    distance: Float[Tensor, " edges"]
    direction: Float[Tensor, "edges 3"]


class Elements(nn.Module):
    """The elements a model knows: atomic number -> number of its row in embeddings."""

    row: Tensor

    def __init__(self, species: Sequence[int]) -> None:
        super().__init__()
        if not species or min(species) < 1 or len(set(species)) < len(species):
            raise InvalidSetting(f"species {tuple(species)}: atomic numbers, each once, are needed")
        self.species = tuple(species)
        row = torch.full((max(species) + 1,), -1, dtype=torch.long)
        row[torch.tensor(species)] = torch.arange(len(species))
        self.register_buffer("row", row, persistent=False)

    def __len__(self) -> int:
        return len(self.species)

    def forward(self, numbers: Int[Tensor, " atoms"]) -> Int[Tensor, " atoms"]:
        """Raises `WrongType` unless numbers are integers, `InvalidInput` for an unknown element."""
        if numbers.is_floating_point() or numbers.dtype == torch.bool:
            raise WrongType(f"atomic numbers have dtype {numbers.dtype}: use int64")
        found = self.row[numbers.long().clamp(0, len(self.row) - 1)]
        wrong = (found < 0) | (numbers >= len(self.row))
        if bool(wrong.any()):
            atom = int(wrong.nonzero()[0])
            known = ", ".join(map(str, self.species))
            raise InvalidInput(
                f"atom {atom} has atomic number {int(numbers[atom])}; this model knows {known}"
            )
        return found


def find_pairs(batch: Batch, pos: Float[Tensor, "atoms 3"], cutoff: float) -> Pairs:
    """All pairs nearer than `cutoff` (angstrom) in the molecules and cells of `batch`."""
    cell, pbc = getattr(batch, "cell", None), getattr(batch, "pbc", None)
    near = neighbor_list(pos, cutoff, ptr=batch.ptr, cell=cell, pbc=pbc)
    vector = pos.index_select(0, near.source) - pos.index_select(0, near.target)
    if cell is not None:
        vector = vector + near.shift
    distance = vector.square().sum(1).sqrt()
    if len(distance) and float(distance.detach().min()) < CLOSE:
        pair = int(distance.argmin())
        atoms = f"{int(near.target[pair])} and {int(near.source[pair])}"
        text = f"atoms {atoms} are {float(distance[pair]):.3g} angstrom apart"
        warnings.warn(f"{text}: is the unit of the positions right?", CloseAtoms, stacklevel=2)
    return Pairs(near.source, near.target, distance, vector / distance.unsqueeze(1))
