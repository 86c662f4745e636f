"""What the vertices start from: shapes of their neighbourhoods, and fields of the records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch_geometric.data import Data

from intertwiner.fields import VERTEX, Field, Gauge, Irreps, Scalar
from intertwiner_gauge_mesh.errors import InvalidInput, InvalidSetting
from intertwiner_gauge_mesh.geometry.checks import check_finite, check_rows
from intertwiner_gauge_mesh.layers.ambient import (
    from_irreps,
    tensors_to_frame,
    vectors_to_frame,
)
from intertwiner_gauge_mesh.layers.concatenate import concatenate, concatenated
from intertwiner_gauge_mesh.layers.exchange import pack
from intertwiner_gauge_mesh.layers.matrix_features import (
    MATRIX_TYPE,
    matrix_channels,
    matrix_features,
)
from intertwiner_gauge_mesh.layers.place import PLACE_WIDTH, place_features
from intertwiner_gauge_mesh.layers.reltan import relative_tangents
from intertwiner_gauge_mesh.plan import MeshPlan
from intertwiner_gauge_mesh.planner import welded_mean
from intertwiner_gauge_mesh.types import FeatureType

__all__ = ["InputFeatures", "frame_parts", "irreps_type"]

NAMED = {
    "matrix": MATRIX_TYPE,
    "matrix_channels": FeatureType((7, 7, 7)),
    "reltan": FeatureType((0, 1)),
    "xyz": FeatureType((3,)),
    "boundary": FeatureType((1,)),
    "place": FeatureType((PLACE_WIDTH,)),
}
MESH_FIELDS = ("pos", "face")


class _Item(NamedTuple):
    name: str
    kind: FeatureType
    irreps: Irreps | None


class InputFeatures(nn.Module):
    """The features a network starts from, of type `kind`.

    names: see `GemConfig.inputs`; fields: the inputs that the model's declaration names.
    `unit`, a length in which matrix features are measured, is a buffer to be set.

    Raises `InvalidSetting` for an input it cannot read, or a network without any.
    """

    unit: Tensor

    def __init__(self, names: Sequence[str], fields: Iterable[Field]) -> None:
        super().__init__()
        self.items = [_read(name) for name in names]
        known = {item.name for item in self.items}
        for field in fields:
            if field.name not in MESH_FIELDS and field.name not in known:
                self.items.append(_from_field(field))
        if not self.items:
            raise InvalidSetting("inputs: the network has none; 'matrix' needs no field")
        self.kind = concatenated([item.kind for item in self.items])
        self.register_buffer("unit", torch.tensor(1.0, dtype=torch.float64))

    def forward(self, batch: Data, plan: MeshPlan) -> Float[Tensor, "vertices width"]:
        """Rows of the plan (welded vertices), in its frames."""
        return concatenate([(self._values(item, batch, plan), item.kind) for item in self.items])

    def _values(self, item: _Item, batch: Data, plan: MeshPlan) -> Tensor:
        if item.name == "matrix":
            return matrix_features(plan, float(self.unit))
        if item.name == "matrix_channels":
            return pack(matrix_channels(plan))
        if item.name == "reltan":
            return relative_tangents(plan)
        if item.name == "xyz":
            return plan.pos
        if item.name == "place":
            return place_features(plan)
        if item.name == "boundary":
            return plan.boundary[:, None].to(plan.pos.dtype)
        values = _field_values(item, batch)
        assert item.irreps is not None
        return frame_parts(welded_mean(plan, values), item.irreps, plan.frame)


def frame_parts(
    values: Float[Tensor, "vertices width"],
    irreps: Irreps,
    frame: Float[Tensor, "vertices 3 3"],
) -> Float[Tensor, "vertices width"]:
    """A field in space as features of type `irreps_type(irreps)` in the frames."""
    blocks: list[list[Tensor]] = [[], [], []]
    start = 0
    for channels, order, _ in irreps.blocks:
        width = 2 * order + 1
        part = values[:, start : start + channels * width].reshape(-1, channels, width)
        start += channels * width
        if order == 0:
            blocks[0].append(part.transpose(1, 2))
        elif order == 1:
            normal, tangent = vectors_to_frame(part, frame)
            blocks[0].append(normal[:, None])
            blocks[1].append(tangent)
        else:
            full = from_irreps(torch.nn.functional.pad(part, (1, 0)))
            scalars, vector, bent = tensors_to_frame(full, frame)
            blocks[0].append(scalars[:, None, channels:])
            blocks[1].append(vector)
            blocks[2].append(bent)
    return torch.cat([torch.cat(found, 2).flatten(1) for found in blocks if found], 1)


def irreps_type(irreps: Irreps) -> FeatureType:
    """One scalar for each order 0; scalar and vector for order 1; scalar, vector and order 2.

    Raises `InvalidSetting` for orders above 2.
    """
    counts = [0, 0, 0]
    for channels, order, _ in irreps.blocks:
        if order > 2:
            raise InvalidSetting(f"irreps {irreps}: fields in space up to order 2 are read")
        for lower in range(order + 1):
            counts[lower] += channels
    return FeatureType.parse(counts)


def _read(name: str) -> _Item:
    if name in NAMED:
        return _Item(name, NAMED[name], None)
    field, colon, text = name.partition(":")
    if not colon or not field:
        raise InvalidSetting(
            f"inputs: cannot read {name!r}; choose one of {', '.join(NAMED)}, or name a field and "
            "its kind, such as 'u:0e' or 'v:1o'"
        )
    irreps = Irreps(text)
    return _Item(field, irreps_type(irreps), irreps)


def _from_field(field: Field) -> _Item:
    if field.site != VERTEX or isinstance(field.rep, Gauge):
        raise InvalidSetting(f"input {field}: only fields in space at vertices are read")
    if isinstance(field.rep, Scalar):
        irreps = Irreps(f"{field.rep.width}x0e")
        return _Item(field.name, irreps_type(irreps), irreps)
    if isinstance(field.rep, Irreps):
        return _Item(field.name, irreps_type(field.rep), field.rep)
    raise InvalidSetting(f"input {field}: scalars, vectors and symmetric tensors are read")


def _field_values(item: _Item, batch: Data) -> Float[Tensor, "vertices width"]:
    values = batch.get(item.name)
    if values is None:
        raise InvalidInput(f"the records have no field {item.name!r}, which the network reads")
    check_rows(item.name, values, len(batch.pos))
    assert item.irreps is not None
    values = values.reshape(len(values), -1).to(batch.pos.dtype)
    if values.shape[1] != item.irreps.width:
        raise InvalidInput(
            f"field {item.name!r} has {values.shape[1]} numbers a vertex, {item.irreps} has "
            f"{item.irreps.width}"
        )
    check_finite(item.name, values)
    return values
