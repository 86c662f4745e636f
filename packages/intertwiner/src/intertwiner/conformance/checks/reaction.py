"""Outputs are there, are finite, and answer to every declared input."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch_geometric.data import Data

from intertwiner.conformance.compare import largest
from intertwiner.conformance.findings import Finding
from intertwiner.conformance.schemas import doubled
from intertwiner.conformance.subject import Subject
from intertwiner.errors import IntertwinerError
from intertwiner.fields import Field

__all__ = ["channels", "outputs", "reaction"]

LEAST = 1e-3
"""Smallest change of an output, relative to its size, that counts as an answer."""


def outputs(subject: Subject) -> list[Finding]:
    """Every target is given, in its shape, finite, and not zero."""
    for dtype in (torch.float32, torch.float64):
        given = subject.outputs(subject.module(dtype), subject.records(), dtype)
        for name, value in given.items():
            if not bool(value.isfinite().all()):
                return [_not_finite(subject, name, value)]
            if largest(value) == 0:
                return [Finding(name, "zero for every record, with parameters drawn at random")]
    return []


def _not_finite(subject: Subject, name: str, value: torch.Tensor) -> Finding:
    rows = value.reshape(len(value), -1).isfinite().all(1)
    batch = subject.kit.batch(subject.records(), torch.float64)
    owner = subject.kit.owner(batch, subject.schema.target(name).site)
    record = subject.records()[int(owner[~rows][0])].name
    hint = "divisions by a distance or a count, and normalisation of zero vectors"
    return Finding(name, f"NaN or infinite for the {record}", hint=hint)


def reaction(subject: Subject) -> list[Finding]:
    """Disturbing one input field, everything else kept, changes every output by 0.1 % or more."""
    findings = []
    for field in subject.schema.inputs:
        findings += _react(subject, field, subject.records())
    return findings


def _react(subject: Subject, field: Field, records: list[Data]) -> list[Finding]:
    generator = torch.Generator().manual_seed(3)
    module = subject.module(torch.float64)
    before = subject.outputs(module, records, torch.float64)
    disturbed = [subject.kit.disturb(record, field, generator) for record in records]
    after = subject.outputs(module, disturbed, torch.float64)
    findings = []
    for name, value in before.items():
        change, size = largest(after[name] - value), largest(value)
        if change <= LEAST * size:
            findings.append(_indifferent(field, name, change, size))
    return findings


def _indifferent(field: Field, name: str, change: float, size: float) -> Finding:
    what = (
        f"does not answer to the input {field.name!r}: other values of it changed the output by "
        f"{change:.3g} where the value is {size:.3g}, at least {LEAST:g} of the value is asked for"
    )
    hint = "whether the input reaches the output; an input that is not read must not be declared"
    return Finding(name, what, change, size, hint=hint)


def channels(subject: Subject) -> list[Finding]:
    """A target with twice the channels is given in twice the width, or refused in clear words."""
    wider = replace(subject, schema=doubled(subject.schema, subject.spec), built={})
    try:
        module = wider.fresh(torch.float32)
    except IntertwinerError:
        return []
    wider.outputs(module, wider.records(), torch.float32)
    return []
