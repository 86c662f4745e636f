"""A record's outputs do not depend on the records it is batched with."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch_geometric.data import Data

from intertwiner.conformance.compare import compare
from intertwiner.conformance.findings import Finding
from intertwiner.conformance.subject import Subject

__all__ = ["batching"]

TOLERANCE = {torch.float64: 1e-9, torch.float32: 1e-4}


def batching(subject: Subject) -> list[Finding]:
    """Batches of two, and of all records, equal the records one by one."""
    records = subject.records()
    for dtype, tolerance in TOLERANCE.items():
        module = subject.module(dtype)
        alone = _joined([subject.outputs(module, [record], dtype) for record in records])
        for size in (2, len(records)):
            chunks = [records[start : start + size] for start in range(0, len(records), size)]
            together = _joined([subject.outputs(module, chunk, dtype) for chunk in chunks])
            found = _compare(subject, records, alone, together, tolerance, size)
            if found:
                return found
    return []


def _joined(outputs: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    return {name: torch.cat([output[name] for output in outputs]) for name in outputs[0]}


def _compare(
    subject: Subject,
    records: Sequence[Data],
    alone: dict[str, Tensor],
    together: dict[str, Tensor],
    tolerance: float,
    size: int,
) -> list[Finding]:
    what = f"a batch of {size} does not give what its records give alone"
    hint = "sums, means and neighbours across the whole batch: go by batch.batch or batch.ptr"
    return compare(subject, records, alone, together, tolerance, what, hint)
