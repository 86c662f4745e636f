"""BONDS: molecular graphs without coordinates: trees, rings, salts, lone atoms.

`edge_index` [2,E] holds every bond in both directions; node and edge fields are as declared, those
of the two directions of a bond alike.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Final

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch_geometric.data import Batch, Data
from torch_geometric.utils import degree, scatter

from intertwiner.conformance.findings import NotCovered
from intertwiner.conformance.structures.asymmetries import per_graph
from intertwiner.conformance.structures.atoms import SPECIES
from intertwiner.conformance.structures.base import Asymmetry, StructureKit, random_values
from intertwiner.fields import EDGE, GRAPH, NODE, Field, Index, Structure
from intertwiner.schema import Schema

__all__ = ["BondsKit"]

ENDS: Final = Field("edge_index", EDGE, Index(of=NODE))
Bonds = list[tuple[int, int]]


def _numbering(batch: Batch) -> Float[Tensor, " graphs"]:
    """Changes when atoms or bonds are renumbered: numbers of bonds weighted by numbers."""
    ends = batch.edge_index
    degrees = degree(ends[0], batch.num_nodes, dtype=torch.float64)
    node = torch.arange(batch.num_nodes, device=ends.device) - batch.ptr[batch.batch]
    owner = batch.batch[ends[0]]
    counts = owner.bincount(minlength=batch.num_graphs)
    edge = torch.arange(len(owner), device=ends.device) - (counts.cumsum(0) - counts)[owner]
    of_bonds: Tensor = scatter(torch.cos(edge) * degrees[ends[0]], owner, 0, batch.num_graphs)
    return torch.tanh(per_graph(torch.cos(node) * degrees, batch) + 0.1 * of_bonds)


def _company(batch: Batch) -> Float[Tensor, " graphs"]:
    """Depends on the other molecules of the batch: their mean number of atoms."""
    size = torch.tensor(batch.num_nodes / batch.num_graphs, device=batch.batch.device)
    return torch.tanh(size / 10).expand(batch.num_graphs)


ASYMMETRIES: Final[Mapping[str, Asymmetry]] = {"numbering": _numbering, "company": _company}


class BondsKit(StructureKit):
    """Records with `edge_index` [2,E], and whatever node and edge fields the schema declares."""

    structure = Structure.BONDS
    sites = (GRAPH, NODE, EDGE)
    asymmetries = ASYMMETRIES

    @property
    def species(self) -> tuple[int, ...]:
        return SPECIES

    def records(self, schema: Schema, generator: torch.Generator) -> list[Data]:
        star = [(0, n) for n in range(1, 5)]
        graphs: dict[str, tuple[int, Bonds]] = {
            "chain of 6 atoms": (6, list(itertools.pairwise(range(6)))),
            "star of 5 atoms": (5, star),
            "ring of 6 with a tail": (8, [*((n, (n + 1) % 6) for n in range(6)), (0, 6), (6, 7)]),
            "salt of two parts": (7, [*star, (5, 6)]),
            "two atoms": (2, [(0, 1)]),
            "single atom": (1, []),
        }
        return [
            self._record(name, count, bonds, schema, generator)
            for name, (count, bonds) in graphs.items()
        ]

    def coincident(self, schema: Schema, generator: torch.Generator) -> list[Data]:
        return []

    def _record(
        self, name: str, count: int, bonds: Bonds, schema: Schema, generator: torch.Generator
    ) -> Data:
        one_way = torch.tensor(bonds, dtype=torch.long).reshape(-1, 2).T
        record = Data(edge_index=torch.cat([one_way, one_way.flip(0)], 1), name=name)
        record.num_nodes = count
        for field in (*schema.inputs, *schema.targets):
            if field.name == "edge_index":
                if (field.site, field.rep) != (ENDS.site, ENDS.rep):
                    raise NotCovered(f"of bonds, edge_index is {ENDS}, not {field}")
                continue
            items = len(bonds) if field.site == EDGE else self.count(record, field.site)
            values = random_values(field, items, generator, self.labels(field))
            record[field.name] = torch.cat([values] * 2) if field.site == EDGE else values
        return record

    def carried(self, schema: Schema) -> tuple[Field, ...]:
        declared = (*schema.inputs, *schema.targets)
        known = "edge_index" in {field.name for field in declared}
        return declared if known else (*declared, ENDS)

    def count(self, record: Data, site: str) -> int:
        self.check_site(site)
        nodes = int(record.num_nodes or 0)
        return {GRAPH: 1, NODE: nodes, EDGE: record.edge_index.shape[1]}[site]

    def owner(self, batch: Batch, site: str) -> Int[Tensor, " items"]:
        self.check_site(site)
        of_node: Tensor = batch.batch
        if site == GRAPH:
            return torch.arange(batch.num_graphs, device=of_node.device)
        return of_node if site == NODE else of_node[batch.edge_index[0]]

    def disturb(self, record: Data, field: Field, generator: torch.Generator) -> Data:
        """As on every structure; of the bonds, the last one goes to another atom."""
        if field.name != "edge_index":
            return super().disturb(record, field, generator)
        disturbed, half = record.clone(), record.edge_index.shape[1] // 2
        taken = {tuple(pair) for pair in record.edge_index.T.tolist()}
        if half:
            ends = record.edge_index.clone()
            start = int(ends[0, half - 1])
            free = [n for n in range(int(record.num_nodes or 0)) if (start, n) not in taken]
            for other in (n for n in free if n != start):
                ends[1, half - 1] = ends[0, -1] = other
            disturbed.edge_index = ends
        return disturbed
