"""Samples of a density: as many as asked for, from the generator alone, in the right shape."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch_geometric.data import Data

from intertwiner.conformance.findings import Finding, NotCovered
from intertwiner.conformance.subject import Subject

__all__ = ["samples"]

COUNT = 3


def samples(subject: Subject) -> list[Finding]:
    """Three samples, finite, the same from the same generator and others from another one."""
    model: Any = subject.fresh(torch.float32).model
    if not hasattr(model, "sample"):
        raise NotCovered("the model brings no sample(n, *, generator)")
    first, again, other = (_draw(model, seed) for seed in (0, 0, 1))
    if len(first) != COUNT:
        return [Finding("sample", f"gave {len(first)} records where {COUNT} were asked for")]
    for record in first:
        finding = _wrong(subject, record)
        if finding is not None:
            return [finding]
    if not all(torch.equal(a.pos, b.pos) for a, b in zip(first, again, strict=True)):
        what = "two calls with equal generators gave other samples"
        return [Finding("sample", what, hint="random numbers drawn without generator=")]
    if all(torch.equal(a.pos, b.pos) for a, b in zip(first, other, strict=False)):
        return [Finding("sample", "the generator changes nothing")]
    return []


def _draw(model: Any, seed: int) -> list[Data]:
    with torch.no_grad():
        records: list[Data] = model.sample(COUNT, generator=torch.Generator().manual_seed(seed))
    return records


def _wrong(subject: Subject, record: Data) -> Finding | None:
    """The first thing wrong with one sample."""
    for name in ("pos", "log_prob"):
        if name not in record:
            if name == "pos":
                return Finding("sample", "gave a record without pos")
            continue
        value = record[name]
        if not isinstance(value, Tensor) or not bool(value.isfinite().all()):
            return Finding("sample", f"gave {name} with NaN or infinite values")
    if record.pos.dim() != 2 or record.pos.shape[1] != subject.dimension:
        what = f"pos has shape {tuple(record.pos.shape)}, must be (n, {subject.dimension})"
        return Finding("sample", what)
    if "log_prob" in record and tuple(record.log_prob.shape) != (1,):
        return Finding("sample", f"log_prob has shape {tuple(record.log_prob.shape)}, must be (1,)")
    return None
