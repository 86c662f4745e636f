"""Nobody may see which tangent frames a model chose: turn them all and look at the outputs."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from torch_geometric.data import Data

from intertwiner.conformance.action import turn_frames
from intertwiner.conformance.compare import compare
from intertwiner.conformance.findings import Finding
from intertwiner.conformance.subject import Subject
from intertwiner.errors import IntertwinerError
from intertwiner.fields import VERTEX, Gauge

__all__ = ["ANGLE", "gauge"]

ANGLE = "gauge_angle"
"""The vertex attribute that turns a model's own frames counter-clockwise about the normal."""


def gauge(subject: Subject) -> list[Finding]:
    """Turning every vertex's frame by its own angle turns gauge outputs and leaves the others."""
    records = subject.records()
    angles = _angles(subject, records)
    turned = [
        _turned(subject, record, angle) for record, angle in zip(records, angles, strict=True)
    ]
    hint = "transport between frames left out or of the wrong sign, a product of orders that do "
    hint += "not add up, a nonlinearity that acts on single components"
    for dtype in (torch.float64, torch.float32):
        module = subject.module(dtype)
        before = subject.outputs(module, records, dtype)
        after = subject.outputs(module, turned, dtype)
        joined = torch.cat(list(angles)).to(dtype)
        expected = {
            target.name: turn_frames(target.rep, before[target.name], joined)
            for target in subject.schema.targets
        }
        what = f"turning the frame at every vertex did not change it as declared, in {dtype}"
        found = compare(subject, records, expected, after, subject.tolerance(dtype), what, hint)
        if found:
            return found
    return _is_read(subject, records)


def _angles(subject: Subject, records: Sequence[Data]) -> list[Float[Tensor, " vertices"]]:
    """An angle for every vertex, evenly between -pi and pi, radian."""
    generator = torch.Generator().manual_seed(6)
    counts = [subject.kit.count(record, VERTEX) for record in records]
    return [
        math.pi * (2 * torch.rand(n, generator=generator, dtype=torch.float64) - 1) for n in counts
    ]


def _turned(subject: Subject, record: Data, angle: Float[Tensor, " vertices"]) -> Data:
    """The same mesh with other frames; gauge inputs are written in the new ones."""
    turned = record.clone()
    turned[ANGLE] = angle
    for field in subject.schema.inputs:
        if isinstance(field.rep, Gauge):
            turned[field.name] = turn_frames(field.rep, record[field.name], angle)
    return turned


def _is_read(subject: Subject, records: Sequence[Data]) -> list[Finding]:
    """A model that does not look at the angles would pass without being tested: NaN must show."""
    spoiled = [record.clone() for record in records]
    for record in spoiled:
        record[ANGLE] = torch.full((subject.kit.count(record, VERTEX),), math.nan).double()
    module = subject.module(torch.float64)
    try:
        outputs = subject.outputs(module, spoiled, torch.float64)
    except (IntertwinerError, ValueError):
        return []
    if all(bool(value.isfinite().all()) for value in outputs.values()):
        what = f"declares the gauge symmetry {subject.symmetry.gauge} and does not read {ANGLE!r}"
        hint = f"turn the default frame at each vertex by batch[{ANGLE!r}] [vertices] where given"
        return [Finding(ANGLE, what, hint=hint)]
    return []
