"""MESH: oriented triangle meshes: closed, open, with a hole, and of two components.

`pos` [V,3], `face` [3,F] (each face counter-clockwise seen from outside), vertex and face fields.
"""

from __future__ import annotations

from typing import Final

import torch
from jaxtyping import Int
from torch import Tensor
from torch_geometric.data import Batch, Data

from intertwiner.conformance.findings import NotCovered
from intertwiner.conformance.groups import Motion
from intertwiner.conformance.structures.base import StructureKit, random_values
from intertwiner.conformance.structures.mesh_asymmetries import MESH_ASYMMETRIES
from intertwiner.conformance.structures.shapes import (
    Shape,
    flip_edges,
    icosahedron,
    joined,
    jolted,
    ring,
    sheet,
    subdivided,
)
from intertwiner.fields import FACE, GRAPH, VERTEX, Field, Index, Point, Structure
from intertwiner.schema import Schema

__all__ = ["MeshKit", "turn_corners"]

GRID: Final = 2.0**-14
"""Positions lie on this grid, so that float32 holds them exactly when they are moved far away."""


class MeshKit(StructureKit):
    """Records with `pos` [V,3], `face` [3,F], and whatever else the schema declares."""

    structure = Structure.MESH
    sites = (GRAPH, VERTEX, FACE)
    asymmetries = MESH_ASYMMETRIES

    @property
    def species(self) -> tuple[int, ...]:
        return ()

    def records(self, schema: Schema, generator: torch.Generator) -> list[Data]:
        shapes = {
            "bumpy sphere": jolted(subdivided(icosahedron(1.9)), 0.15, generator),
            "bumpy icosahedron": jolted(icosahedron(1.0), 0.1, generator),
            "open sheet": jolted(sheet(4, 3), 0.2, generator),
            "ring": jolted(ring(9, 5), 0.1, generator),
            "two components": joined(
                jolted(icosahedron(1.0), 0.1, generator), jolted(sheet(3, 3), 0.2, generator)
            ),
        }
        return [self._record(name, shape, schema, generator) for name, shape in shapes.items()]

    def coincident(self, schema: Schema, generator: torch.Generator) -> list[Data]:
        pos, face = jolted(icosahedron(1.0), 0.1, generator)
        pos[1] = pos[0]
        shape = (pos, face)
        return [self._record("mesh with vertices 0 and 1 in one place", shape, schema, generator)]

    def _record(self, name: str, shape: Shape, schema: Schema, generator: torch.Generator) -> Data:
        pos, face = (shape[0] / GRID).round() * GRID, shape[1]
        record = Data(pos=pos, face=face, num_nodes=len(pos), name=name)
        for field in (*schema.inputs, *schema.targets):
            if field.name in ("pos", "face"):
                _check_base_field(field)
                continue
            items = self.count(record, field.site)
            record[field.name] = random_values(field, items, generator, self.labels(field))
        return record

    def carried(self, schema: Schema) -> tuple[Field, ...]:
        declared = (*schema.inputs, *schema.targets)
        names = {field.name for field in declared}
        return (*declared, *(field for field in BASE if field.name not in names))

    def labels(self, field: Field) -> tuple[int, ...]:
        return super().labels(field) or (0, 1)

    def count(self, record: Data, site: str) -> int:
        self.check_site(site)
        return {GRAPH: 1, VERTEX: len(record.pos), FACE: record.face.shape[1]}[site]

    def owner(self, batch: Batch, site: str) -> Int[Tensor, " items"]:
        self.check_site(site)
        of_vertex: Tensor = batch.batch
        if site == GRAPH:
            return torch.arange(batch.num_graphs, device=of_vertex.device)
        return of_vertex if site == VERTEX else of_vertex[batch.face[0]]

    def move(self, schema: Schema, record: Data, motion: Motion) -> Data:
        """A mirror reverses the winding of faces: outside stays outside."""
        moved = super().move(schema, record, motion)
        if motion.improper:
            moved.face = record.face[[0, 2, 1]]
        return moved

    def disturb(self, record: Data, field: Field, generator: torch.Generator) -> Data:
        """As on every structure; of the faces, some edges are flipped."""
        if field.name != "face":
            return super().disturb(record, field, generator)
        disturbed = record.clone()
        disturbed.face = flip_edges(record.face)
        return disturbed


BASE: Final = (Field("pos", VERTEX, Point()), Field("face", FACE, Index(of=VERTEX)))


def turn_corners(record: Data, generator: torch.Generator) -> Data:
    """The record with every face starting at another of its corners, winding kept."""
    turned = record.clone()
    starts = torch.randint(1, 3, (record.face.shape[1],), generator=generator)
    order = (torch.arange(3)[:, None] + starts) % 3
    turned.face = record.face.gather(0, order)
    return turned


def _check_base_field(field: Field) -> None:
    expected: dict[str, tuple[str, object]] = {f.name: (f.site, f.rep) for f in BASE}
    if (field.site, field.rep) != expected[field.name]:
        raise NotCovered(
            "on meshes, pos is a point per vertex in 3D and face an index of vertex per face, not "
            f"{field}"
        )
