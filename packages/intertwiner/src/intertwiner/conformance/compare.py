"""Two sets of outputs side by side, and a finding for every field where they differ."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch_geometric.data import Data

from intertwiner.conformance.findings import Finding
from intertwiner.conformance.subject import Subject
from intertwiner.fields import Field

__all__ = ["compare", "largest"]


def largest(values: Tensor) -> float:
    """The largest absolute value; 0 of nothing, infinite when any value is NaN."""
    if values.numel() == 0:
        return 0.0
    found = values.detach().double().abs().max().item()
    return math.inf if math.isnan(found) else found


def compare(
    subject: Subject,
    records: Sequence[Data],
    expected: Mapping[str, Tensor],
    got: Mapping[str, Tensor],
    tolerance: float,
    what: str,
    hint: str,
) -> list[Finding]:
    """A finding for each target whose error exceeds `tolerance` times its size over all records."""
    findings = []
    for target in subject.schema.targets:
        wanted, seen = expected[target.name], got[target.name].to(expected[target.name])
        error, size = largest(seen - wanted), largest(wanted)
        if math.isfinite(error) and error <= tolerance * size:
            continue
        where = f"{what} (worst for the {_worst(subject, records, target, seen - wanted)})"
        findings.append(Finding(target.name, where, error, size, tolerance * size, hint))
    return findings


def _worst(subject: Subject, records: Sequence[Data], target: Field, difference: Tensor) -> str:
    """The name of the record with the largest difference."""
    owner = subject.kit.owner(subject.kit.batch(records, torch.float64), target.site)
    row = difference.reshape(len(difference), -1).abs().amax(1).nan_to_num(math.inf).argmax()
    return str(records[int(owner[row])].name)
