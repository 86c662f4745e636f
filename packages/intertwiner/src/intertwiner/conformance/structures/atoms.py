"""ATOMS: small molecules with chemical distances, lone atoms, pairs and chains on a line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch_geometric.data import Batch, Data

from intertwiner.conformance.findings import NotCovered
from intertwiner.conformance.structures.asymmetries import ASYMMETRIES
from intertwiner.conformance.structures.base import StructureKit, dimension_of, random_values
from intertwiner.fields import GRAPH, NODE, Field, Label, Point, Structure
from intertwiner.schema import Schema

__all__ = ["AtomsKit", "Z", "random_cluster"]

SPECIES: Final = (1, 6, 7, 8)
SHORTEST: Final = 0.9
"""Smallest distance between two atoms of a cluster, angstrom."""
GRID: Final = 2.0**-14
"""Positions lie on this grid (angstrom), so that float32 holds them exactly within 512 A."""


def random_cluster(
    count: int, generator: torch.Generator, dimension: int = 3
) -> Float[Tensor, "count dimension"]:
    """Positions (angstrom) grown atom by atom, each 1.0 to 1.6 from one and >= 0.9 from all."""
    placed = [torch.zeros(dimension, dtype=torch.float64)]
    while len(placed) < count:
        anchor = placed[int(torch.randint(len(placed), (1,), generator=generator))]
        direction = torch.randn(dimension, generator=generator, dtype=torch.float64)
        length = 1.0 + 0.6 * torch.rand(1, generator=generator, dtype=torch.float64)
        site = anchor + direction / direction.norm() * length
        if all((site - other).norm() >= SHORTEST for other in placed):
            placed.append(site)
    return _on_grid(torch.stack(placed))


def _on_grid(
    positions: Float[Tensor, "nodes dimension"],
) -> Float[Tensor, "nodes dimension"]:
    return (positions / GRID).round() * GRID


def _line(spacings: list[float], dimension: int) -> Float[Tensor, "nodes dimension"]:
    along = torch.tensor([0.0, *spacings], dtype=torch.float64).cumsum(0)
    direction = torch.zeros(dimension, dtype=torch.float64)
    direction[0], direction[-1] = 0.6, 0.8
    return _on_grid(along[:, None] * direction)


class AtomsKit(StructureKit):
    """Records with `pos` [n,3] in angstrom (or [n,d] where the schema says so), `z` [n], and
    whatever else the schema declares.
    """

    structure = Structure.ATOMS
    sites: tuple[str, ...] = (GRAPH, NODE)
    asymmetries = ASYMMETRIES

    @property
    def species(self) -> tuple[int, ...]:
        return SPECIES

    def records(self, schema: Schema, generator: torch.Generator) -> list[Data]:
        d = dimension_of(schema)
        shapes = {f"cluster of {n} atoms": random_cluster(n, generator, d) for n in (5, 3, 8, 6)}
        shapes["single atom"] = torch.zeros(1, d, dtype=torch.float64)
        shapes["two atoms"] = _line([1.25], d)
        shapes["three atoms on a line"] = _line([1.25, 1.1], d)
        return [self._record(name, pos, schema, generator) for name, pos in shapes.items()]

    def coincident(self, schema: Schema, generator: torch.Generator) -> list[Data]:
        pos = random_cluster(5, generator, dimension_of(schema))
        pos[3] = pos[2]
        return [self._record("cluster with atoms 2 and 3 in one place", pos, schema, generator)]

    def _record(
        self,
        name: str,
        pos: Float[Tensor, "nodes dimension"],
        schema: Schema,
        generator: torch.Generator,
        more: Mapping[str, Tensor] | None = None,
    ) -> Data:
        record = Data(pos=pos, num_nodes=len(pos), name=name, **(more or {}))
        record.z = torch.tensor(SPECIES)[torch.randint(4, (len(pos),), generator=generator)]
        for field in (*schema.inputs, *schema.targets):
            if field.name in (more or {}):
                continue
            if field.name in ("pos", "z"):
                _check_base_field(field)
                continue
            items = self.count(record, field.site)
            record[field.name] = random_values(field, items, generator, self.labels(field))
        return record

    def carried(self, schema: Schema) -> tuple[Field, ...]:
        declared = (*schema.inputs, *schema.targets)
        return declared if "z" in {field.name for field in declared} else (*declared, Z)

    def count(self, record: Data, site: str) -> int:
        self.check_site(site)
        return 1 if site == GRAPH else int(record.num_nodes or 0)

    def owner(self, batch: Batch, site: str) -> Int[Tensor, " items"]:
        self.check_site(site)
        nodes: Tensor = batch.batch
        return torch.arange(batch.num_graphs, device=nodes.device) if site == GRAPH else nodes


Z: Final = Field("z", NODE, Label())


def _check_base_field(field: Field) -> None:
    if not isinstance(field.rep, Point if field.name == "pos" else Label) or field.site != NODE:
        raise NotCovered(f"on atoms, pos is a point per node and z a label per node, not {field}")
