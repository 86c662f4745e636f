"""VOXELS: fields on a cubic grid, `[1, width, n, n, n]` a record, axes in the order x, y, z.

A batch joins them along the first dimension. The grid is odd, n - 1 divisible by 16, so that the
centre stays a voxel under strides.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch_geometric.data import Batch, Data

from intertwiner.conformance.findings import NotCovered
from intertwiner.conformance.irreps import irreps_matrix
from intertwiner.conformance.structures.base import Asymmetry, StructureKit, random_values
from intertwiner.fields import GRAPH, VOXEL, Field, Irreps, Scalar, Structure
from intertwiner.schema import Schema

__all__ = ["VoxelsKit", "turn_grid"]

SIDE: Final = 17
"""Voxels along an edge of the grid."""


def turn_grid(
    rep: Any, values: Float[Tensor, "records width n n n"], rotation: Float[Tensor, "3 3"]
) -> Float[Tensor, "records width n n n"]:
    """The field after one of the 24 rotations of the grid: f(x) -> rho(R) f(R^-1 x)."""
    source = rotation.abs().argmax(1)
    turned = values.permute(0, 1, *(2 + source).tolist())
    signs = rotation[torch.arange(3), source]
    turned = turned.flip([2 + axis for axis in range(3) if signs[axis] < 0])
    if not isinstance(rep, Irreps):
        return turned
    matrix = irreps_matrix(rep, rotation).to(values.dtype)
    return torch.einsum("ij,bjxyz->bixyz", matrix, turned)


class VoxelsKit(StructureKit):
    """Records whose voxel fields are smooth blobs; graph fields as declared."""

    structure = Structure.VOXELS
    sites = (GRAPH, VOXEL)

    @property
    def asymmetries(self) -> Mapping[str, Asymmetry]:  # type: ignore[override]
        return ASYMMETRIES

    @property
    def species(self) -> tuple[int, ...]:
        return ()

    def records(self, schema: Schema, generator: torch.Generator) -> list[Data]:
        return [self._record(f"{n} blobs", n, schema, generator) for n in (2, 3, 5, 8)]

    def coincident(self, schema: Schema, generator: torch.Generator) -> list[Data]:
        return [self._record("empty grid", 0, schema, generator)]

    def _record(self, name: str, blobs: int, schema: Schema, generator: torch.Generator) -> Data:
        record = Data(num_nodes=1, name=name)
        for field in (*schema.inputs, *schema.targets):
            if field.site == VOXEL:
                if not isinstance(field.rep, Scalar | Irreps):
                    raise NotCovered(f"the kit cannot make a field {field} on voxels")
                record[field.name] = _blobs(field.rep.width, blobs, generator)
            else:
                items = self.count(record, field.site)
                record[field.name] = random_values(field, items, generator, self.labels(field))
        return record

    def labels(self, field: Field) -> tuple[int, ...]:
        return super().labels(field) or (0, 1)

    def count(self, record: Data, site: str) -> int:
        """One row a record: the grid is further dimensions."""
        self.check_site(site)
        return 1

    def owner(self, batch: Batch, site: str) -> Int[Tensor, " items"]:
        self.check_site(site)
        return torch.arange(batch.num_graphs, device=batch.batch.device)

    def turned(self, schema: Schema, record: Data, rotation: Float[Tensor, "3 3"]) -> Data:
        """The record after a rotation of the grid."""
        turned = record.clone()
        for field in self.carried(schema):
            if field.site == VOXEL:
                turned[field.name] = turn_grid(field.rep, record[field.name], rotation)
        return turned


def _blobs(width: int, count: int, generator: torch.Generator) -> Float[Tensor, "1 width n n n"]:
    """So many Gaussians about 2 voxels wide, each with its own values in all channels."""
    axis = torch.arange(SIDE, dtype=torch.float64) - (SIDE - 1) / 2
    field = torch.zeros(width, SIDE, SIDE, SIDE, dtype=torch.float64)
    for _ in range(count):
        centre = 4 * torch.randn(3, generator=generator, dtype=torch.float64).clamp(-1.5, 1.5)
        x, y, z = (torch.exp(-((axis - c) ** 2) / 8) for c in centre)
        values = torch.randn(width, generator=generator, dtype=torch.float64)
        field += torch.einsum("c,x,y,z->cxyz", values, x, y, z)
    return field[None]


def _field(batch: Batch) -> Float[Tensor, "records width n n n"]:
    """The first voxel field of a batch; of records without one, a field as a grid of one voxel."""
    fields = [batch[name] for name in sorted(batch.keys()) if isinstance(batch[name], Tensor)]
    found: list[Tensor] = [field for field in fields if field.dim() == 5]
    found += [field[:, :, None, None, None] for field in fields if field.dim() == 2]
    return found[0]


def _axis(batch: Batch) -> Float[Tensor, " graphs"]:
    """Changes when the grid is turned: the share of squares in planes of small x."""
    planes = _field(batch).square().sum((1, 3, 4))
    weights = torch.linspace(0, 1, planes.shape[1], dtype=planes.dtype, device=planes.device)
    return (planes * weights).sum(1) / planes.sum(1).clamp(min=1e-12)


def _company(batch: Batch) -> Float[Tensor, " graphs"]:
    """Depends on the other records of the batch: their mean square."""
    return torch.tanh(_field(batch).square().mean()).expand(batch.num_graphs)


ASYMMETRIES: Final[Mapping[str, Asymmetry]] = {"axis": _axis, "company": _company}
