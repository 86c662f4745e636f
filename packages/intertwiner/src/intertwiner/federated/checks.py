"""No update reaches an aggregator unlooked at: keys, shapes, dtypes, numbers, weight, norm."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from intertwiner.federated.arrays import Kind
from intertwiner.federated.updates import Arrays, Update

__all__ = ["Reference", "Rejection", "check_update", "distance"]


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a client's update was not used: a short code and the detail, with the value seen."""

    client: str
    code: str
    detail: str

    def __str__(self) -> str:
        return f"{self.client}: {self.code}: {self.detail}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """What updates are held against.

    arrays, kinds: the global model. examples: the number of records every client declared when it
    joined. needs: names of the metrics and aux tensors that the aggregator asks for.
    largest: norm of the difference from the global weights above which an update is refused.
    """

    arrays: Arrays
    kinds: Mapping[str, Kind]
    examples: Mapping[str, int]
    needs: tuple[str, ...] = ()
    largest: float | None = None


def check_update(update: Update, reference: Reference) -> Rejection | None:
    """The first thing wrong with an update; None when it is sound."""
    for check in (_keys, _tensors, _weight, _extras, _norm):
        wrong = check(update, reference)
        if wrong is not None:
            code, detail = wrong
            return Rejection(update.client, code, detail)
    return None


Wrong = tuple[str, str] | None


def _keys(update: Update, reference: Reference) -> Wrong:
    missing = sorted(set(reference.arrays) - set(update.arrays))
    extra = sorted(set(update.arrays) - set(reference.arrays))
    if not missing and not extra:
        return None
    said = [
        f"{word} {', '.join(names[:5])}" + (f" and {len(names) - 5} more" if len(names) > 5 else "")
        for word, names in (("missing", missing), ("unknown", extra))
        if names
    ]
    return "keys", "; ".join(said)


def _tensors(update: Update, reference: Reference) -> Wrong:
    for name, expected in reference.arrays.items():
        wrong = _tensor(name, update.arrays[name], expected)
        if wrong is not None:
            return wrong
        constant = reference.kinds[name] == Kind.CONSTANT
        if constant and not torch.equal(update.arrays[name], expected):
            detail = f"{name} was changed; a buffer that training changes belongs into the "
            return "constant", detail + "averaged_buffers of its module"
    return None


def _tensor(name: str, value: object, expected: Tensor) -> Wrong:
    if not isinstance(value, Tensor) or value.layout != torch.strided:
        return "type", f"{name} is {type(value).__name__}, expected a dense tensor"
    if value.shape != expected.shape:
        return "shape", f"{name} got {tuple(value.shape)}, expected {tuple(expected.shape)}"
    if value.dtype != expected.dtype:
        return "dtype", f"{name} got {value.dtype}, expected {expected.dtype}"
    if value.is_floating_point() and not bool(value.isfinite().all()):
        bad = int((~value.isfinite()).sum())
        return "non_finite", f"{name} ({bad} of {value.numel()} values)"
    return None


def _weight(update: Update, reference: Reference) -> Wrong:
    """A whole number from 1 to what the client declared."""
    given, most = update.num_examples, reference.examples.get(update.client, 0)
    if isinstance(given, bool) or not isinstance(given, int):
        return "num_examples", f"{given!r} is no whole number"
    if not 0 < given <= most:
        return "num_examples", f"{given} is not between 1 and {most}, which the client declared"
    return None


def _extras(update: Update, reference: Reference) -> Wrong:
    """What the aggregator needs is there and finite."""
    for name in reference.needs:
        if name not in update.metrics and name not in update.aux:
            return "needs", f"{name} was not sent"
        if name in update.metrics and not math.isfinite(update.metrics[name]):
            return "non_finite", f"metric {name} is {update.metrics[name]}"
    for group, arrays in update.aux.items():
        for name, value in arrays.items():
            if not bool(torch.isfinite(value).all()):
                return "non_finite", f"{group} of {name}"
    return None


def _norm(update: Update, reference: Reference) -> Wrong:
    if reference.largest is None:
        return None
    norm = distance(update.arrays, reference.arrays, reference.kinds)
    if norm > reference.largest:
        return "norm", f"the update is {norm:.3g} long, at most {reference.largest:.3g} is allowed"
    return None


def distance(arrays: Arrays, others: Arrays, kinds: Mapping[str, Kind]) -> float:
    """Euclidean length of the difference over all averaged arrays, in double precision."""
    squares = [
        (arrays[name].double() - others[name].double()).square().sum()
        for name, kind in kinds.items()
        if kind == Kind.AVERAGED
    ]
    return float(torch.stack(squares).sum().sqrt()) if squares else 0.0
