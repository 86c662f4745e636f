"""A dataset is what its declaration says, in units, species and splits."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import torch
from torch_geometric.data import Data

from intertwiner.config import build
from intertwiner.conformance.checks.records import records_match, same_records
from intertwiner.conformance.findings import Finding, NotCovered
from intertwiner.data.dataset import PARTS, Dataset
from intertwiner.errors import ConfigError
from intertwiner.fields import Field, Index, Label
from intertwiner.specs import DatasetSpec, load_target

__all__ = ["dataset_declaration", "embedded", "splits_hold", "synthetic"]

COUNT: Final = 24
LONGEST: Final = 10.0
"""Seconds that making `COUNT` synthetic records may take."""


def dataset_declaration(spec: DatasetSpec) -> list[Finding]:
    """Targets have units, defaults are targets, and every file says where it comes from."""
    findings = [_unitless(field) for field in spec.targets if _needs_unit(field)]
    known = [field.name for field in spec.targets]
    strange = [name for name in spec.default_targets if name not in known]
    findings += [Finding(name, f"default target is not among {known}") for name in strange]
    if spec.targets and not spec.default_targets:
        findings.append(Finding("default_targets", "empty: name what is learned by default"))
    if not spec.offline and not spec.source:
        findings.append(Finding("source", "not offline, and no official address is given"))
    for source in spec.source:
        if source.sha256 is None and not source.note:
            what = f"{source.filename} has no SHA-256 and no note that says why"
            findings.append(Finding("source", what))
    return findings


def _needs_unit(field: Field) -> bool:
    return field.unit is None and not isinstance(field.rep, Label | Index)


def _unitless(field: Field) -> Finding:
    what = f"no unit is given for this {field.rep} per {field.site}"
    return Finding(field.name, what, hint="Field(..., unit=...); write '1' for a pure number")


def synthetic(spec: DatasetSpec) -> list[Finding]:
    """The stand-in is made fast, the same from the same seed, and has the declared schema."""
    make = load_target(spec.synthetic)
    start = time.perf_counter()
    dataset = make(COUNT, 0)
    seconds = time.perf_counter() - start
    findings = _common(spec, dataset)
    if seconds > LONGEST:
        what = f"making {COUNT} synthetic records took {seconds:.0f} s"
        findings.append(Finding("synthetic", what, seconds, LONGEST, LONGEST))
    if not findings and not same_records(list(dataset), list(make(COUNT, 0))):
        findings.append(Finding("synthetic", "two calls with one seed give different records"))
    if not findings and same_records(list(dataset), list(make(COUNT, 1))):
        findings.append(Finding("synthetic", "the seed changes nothing"))
    return findings or _blind_spots(spec, list(dataset))


def embedded(spec: DatasetSpec) -> list[Finding]:
    """The dataset itself, where it needs no download, has the declared schema."""
    if not spec.offline:
        raise NotCovered("needs a download: only its synthetic stand-in is tested")
    config = build(load_target(spec.config), {})
    try:
        dataset = load_target(spec.target)(config)
    except ConfigError as error:
        raise NotCovered(f"is not complete with default settings: {error}") from error
    return _common(spec, dataset)


def _common(spec: DatasetSpec, dataset: Any) -> list[Finding]:
    if not isinstance(dataset, Dataset):
        return [Finding("", f"gave a {type(dataset).__name__}, not an intertwiner.data.Dataset")]
    if len(dataset) == 0:
        return [Finding("", "has no records")]
    step = max(1, len(dataset) // COUNT)
    sample = [dataset[index] for index in range(0, len(dataset), step)]
    return [
        *records_match(spec, sample),
        *_species(spec, dataset, sample),
        *splits_hold(spec, dataset),
    ]


def _species(spec: DatasetSpec, dataset: Dataset, records: Sequence[Data]) -> list[Finding]:
    """The species of the dataset, where it has some, cover the labels `z` of its records."""
    if not any(field.name == "z" and isinstance(field.rep, Label) for field in spec.provides):
        return []
    seen = {int(label) for record in records if "z" in record for label in record["z"]}
    missing = sorted(seen - set(dataset.species))
    if missing:
        return [Finding("z", f"labels {missing} occur and are not in species {dataset.species}")]
    if list(dataset.species) != sorted(set(dataset.species)):
        return [Finding("z", f"species {dataset.species} are not sorted and distinct")]
    return []


def splits_hold(spec: DatasetSpec, dataset: Dataset) -> list[Finding]:
    """Every declared scheme has all parts; parts are disjoint, non-empty and within the records."""
    findings = []
    for scheme in spec.splits:
        if scheme not in dataset.splits:
            given = ", ".join(dataset.splits)
            findings.append(Finding(scheme, f"declared split is missing; the dataset has: {given}"))
            continue
        findings += _split(scheme, dataset)
    return findings


def _split(scheme: str, dataset: Dataset) -> list[Finding]:
    split = dataset.splits[scheme]
    empty = [part for part in PARTS if part not in split or len(split[part]) == 0]
    if empty:
        return [Finding(scheme, f"part {empty[0]!r} of the split is missing or empty")]
    parts = {part: np.asarray(split[part]) for part in PARTS}
    joined = np.concatenate(list(parts.values()))
    if joined.min() < 0 or joined.max() >= len(dataset):
        what = f"the split numbers records up to {joined.max()}, there are {len(dataset)}"
        return [Finding(scheme, what)]
    for one, other in itertools.combinations(PARTS, 2):
        shared = np.intersect1d(parts[one], parts[other])
        if len(shared):
            what = f"{len(shared)} records are in {one} and in {other}, the first is {shared[0]}"
            return [Finding(scheme, what)]
    return []


def _blind_spots(spec: DatasetSpec, records: list[Data]) -> list[Finding]:
    """What this module would miss in these very records: nothing, unless a check cannot fail."""
    findings = []
    for field in (*spec.provides, *spec.targets):
        spoiled = records[-1].clone()
        spoiled[field.name] = torch.full((7, 7, 7), math.inf)
        if not records_match(spec, [*records[:-1], spoiled]):
            findings.append(Finding(field.name, "the kit does not see a spoilt value of it"))
    return findings
