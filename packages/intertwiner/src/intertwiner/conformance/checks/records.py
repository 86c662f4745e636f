"""Records carry every declared field, in its shape and dtype, and go into batches."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor
from torch_geometric.data import Batch, Data

from intertwiner.conformance.findings import Finding
from intertwiner.conformance.subject import expected_shape
from intertwiner.fields import EDGE, FACE, GRAPH, NODE, VERTEX, VOXEL, Field, Index, Label
from intertwiner.specs import DatasetSpec

__all__ = ["records_match", "same_records"]


def records_match(spec: DatasetSpec, records: Sequence[Data]) -> list[Finding]:
    """Every declared field is in every record with its shape and dtype, and records batch."""
    fields = (*spec.provides, *spec.targets)
    for record, field in itertools.product(records, fields):
        finding = _wrong(record, field, is_target=field in spec.targets)
        if finding is not None:
            return [finding]
    findings = [
        Finding(field.name, f"missing (NaN) in every one of {len(records)} records")
        for field in spec.targets
        if all(bool(record[field.name].double().isnan().all()) for record in records)
    ]
    try:
        Batch.from_data_list(list(records[:4]))
    except Exception as error:
        reason = " ".join(str(error).split())
        findings.append(Finding("", f"records do not batch: {type(error).__name__}: {reason}"))
    return findings


def _wrong(record: Data, field: Field, *, is_target: bool) -> Finding | None:
    """The first thing wrong with one field of one record."""
    name = getattr(record, "name", "without a name")
    if field.name not in record or not isinstance(record[field.name], Tensor):
        return Finding(field.name, f"declared, but record {name} has no such tensor")
    value = record[field.name]
    dtype = torch.int64 if isinstance(field.rep, Label | Index) else torch.float32
    if value.dtype != dtype:
        return Finding(field.name, f"{value.dtype} in record {name}, a {field.rep} is {dtype}")
    items = {GRAPH: 1, NODE: record.num_nodes, VERTEX: record.num_nodes}.get(field.site)
    if isinstance(field.rep, Index):
        return _wrong_index(record, field, field.rep)
    if field.site == VOXEL and value.dim() == 5:
        expected: tuple[int, ...] = (1, field.rep.width, *value.shape[2:])
    else:
        expected = expected_shape(field, int(len(value) if items is None else items))
    if tuple(value.shape) != expected:
        what = f"shape {tuple(value.shape)} in record {name}, must be {expected}"
        return Finding(field.name, what)
    bad = value.isinf() if is_target else ~value.isfinite()
    if bool(bad.any()):
        return Finding(field.name, f"NaN or infinite in record {name}")
    return None


CORNERS = {FACE: 3, EDGE: 2}
"""Rows of an index field `[corners, items]` of these sites."""


def _wrong_index(record: Data, field: Field, rep: Index) -> Finding | None:
    """Faces are `[3, F]`, edges `[2, E]`, and what they point at is there."""
    value, name = record[field.name], getattr(record, "name", "without a name")
    corners = CORNERS.get(field.site)
    if corners is not None and (value.dim() != 2 or len(value) != corners):
        what = f"shape {tuple(value.shape)} in record {name}, must be ({corners}, {field.site}s)"
        return Finding(field.name, what)
    if rep.of in (NODE, VERTEX) and value.numel():
        low, high, count = int(value.min()), int(value.max()), int(record.num_nodes or 0)
        if low < 0 or high >= count:
            what = f"points at {rep.of} {low if low < 0 else high} of {count} in record {name}"
            return Finding(field.name, what)
    return None


def same_records(first: Sequence[Data], second: Sequence[Data]) -> bool:
    """Whether two lists of records hold equal tensors under equal names."""
    if len(first) != len(second):
        return False
    return all(_same(one, other) for one, other in zip(first, second, strict=True))


def _same(one: Data, other: Data) -> bool:
    names = sorted(one.keys())
    if names != sorted(other.keys()):
        return False
    tensors = [name for name in names if isinstance(one[name], Tensor)]
    return all(_equal(one[name], other[name]) for name in tensors)


def _equal(one: Tensor, other: Tensor) -> bool:
    if one.shape != other.shape:
        return False
    return bool(torch.isclose(one, other, rtol=0, atol=0, equal_nan=True).all())
