"""COMPLEX: two molecules beside each other, told apart by `part` (0 protein, 1 ligand)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch_geometric.data import Batch, Data

from intertwiner.conformance.findings import NotCovered
from intertwiner.conformance.structures.atoms import AtomsKit, Z, random_cluster
from intertwiner.fields import GRAPH, NODE, Field, Label, Structure
from intertwiner.schema import Schema

__all__ = ["PARTS", "ComplexKit"]

PARTS: Final[Mapping[str, int]] = {"protein": 0, "ligand": 1}
"""The named node sets, and the value of `part` that their atoms have."""
APART: Final = 3.0
"""Least distance between the boxes of protein and ligand along x, angstrom."""
PART: Final = Field("part", NODE, Label(2))


class ComplexKit(AtomsKit):
    """Records with `pos` [n,3] in angstrom, `z` [n], `part` [n], protein and ligand mixed."""

    structure = Structure.COMPLEX
    sites = (GRAPH, NODE, *PARTS)

    def records(self, schema: Schema, generator: torch.Generator) -> list[Data]:
        sizes = {"complex of 5 and 3 atoms": (5, 3), "complex of 8 and 4 atoms": (8, 4)}
        sizes |= {"complex of 6 and 5 atoms": (6, 5), "two single atoms": (1, 1)}
        return [
            self._complex(name, *_beside(*each, generator), schema, generator)
            for name, each in sizes.items()
        ]

    def coincident(self, schema: Schema, generator: torch.Generator) -> list[Data]:
        pos, part = _beside(5, 3, generator)
        pos[int(part.argmax())] = pos[int(part.argmin())]
        name = "complex with an atom of each part in one place"
        return [self._complex(name, pos, part, schema, generator)]

    def _complex(
        self,
        name: str,
        pos: Float[Tensor, "nodes 3"],
        part: Int[Tensor, " nodes"],
        schema: Schema,
        generator: torch.Generator,
    ) -> Data:
        for field in schema.inputs:
            if field.name == "part" and (field.site, field.rep) != (NODE, PART.rep):
                raise NotCovered(f"on complexes, part is a {PART.rep} per node, not {field}")
        return self._record(name, pos, schema, generator, {"part": part})

    def carried(self, schema: Schema) -> tuple[Field, ...]:
        declared = (*schema.inputs, *schema.targets)
        names = {field.name for field in declared}
        return (*declared, *(field for field in (Z, PART) if field.name not in names))

    def count(self, record: Data, site: str) -> int:
        self.check_site(site)
        return (
            int((record.part == PARTS[site]).sum())
            if site in PARTS
            else super().count(record, site)
        )

    def owner(self, batch: Batch, site: str) -> Int[Tensor, " items"]:
        self.check_site(site)
        nodes: Tensor = batch.batch
        return nodes[batch.part == PARTS[site]] if site in PARTS else super().owner(batch, site)

    def row_order(
        self, record: Data, site: str, order: Int[Tensor, " items"], of: str
    ) -> Int[Tensor, " rows"] | None:
        """Renumbering a part moves its atoms among their places, and the other way round."""
        if GRAPH in (site, of):
            return None
        whole = self._of_nodes(record, site, order)
        if of == NODE:
            return whole
        members = (record.part == PARTS[of]).nonzero().flatten()
        moved = whole[record.part[whole] == PARTS[of]]
        return torch.searchsorted(members, moved)

    def _of_nodes(self, record: Data, site: str, order: Tensor) -> Int[Tensor, " nodes"]:
        """The order of all nodes when only those of `site` change places."""
        if site == NODE:
            return order
        members = (record.part == PARTS[site]).nonzero().flatten()
        whole = torch.arange(len(record.part))
        whole[members] = members[order]
        return whole

    def disturb(self, record: Data, field: Field, generator: torch.Generator) -> Data:
        """As on atoms; of the parts, one atom changes sides."""
        if field.name != "part" or len(record.part) < 3:
            return (
                record.clone()
                if field.name == "part"
                else super().disturb(record, field, generator)
            )
        disturbed = record.clone()
        chosen = int(torch.randint(len(record.part), (1,), generator=generator))
        disturbed.part = record.part.clone()
        disturbed.part[chosen] = 1 - record.part[chosen]
        return disturbed


def _beside(
    protein: int, ligand: int, generator: torch.Generator
) -> tuple[Float[Tensor, "nodes 3"], Int[Tensor, " nodes"]]:
    """Positions of both parts, in mixed order, and which part each atom is of."""
    one, other = random_cluster(protein, generator), random_cluster(ligand, generator)
    shift = torch.zeros(3, dtype=torch.float64)
    shift[0] = (one[:, 0].max() - other[:, 0].min() + APART).ceil()
    part = torch.tensor([0] * protein + [1] * ligand)
    order = torch.randperm(len(part), generator=generator)
    return torch.cat([one, other + shift])[order], part[order]
