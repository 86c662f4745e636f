"""What happened in a round, client by client: nothing is left out silently."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import torch
from torch import Tensor

from intertwiner.federated.arrays import Kind
from intertwiner.federated.checks import Rejection, distance
from intertwiner.federated.updates import Arrays, Update

__all__ = ["RoundReport", "describe_updates"]

FAR: Final = 10.0
"""An update this many times longer than the median one is remarked upon."""


@dataclass(kw_only=True)
class RoundReport:
    """One round. `expected` clients were asked; each is accepted, rejected, failed or missing.

    failed: client -> its error. late, unknown: replies that belong to another round, run or
    client; duplicates: clients that sent the same twice; conflicts: that sent two different ones.
    weights: share of every accepted client's examples. norms: length of the updates; cosines: with
    the mean of the others. losses, steps: of the clients' training. metrics: of the aggregator and
    of the validation. remarks: for a person to read.
    """

    round: int
    expected: list[str]
    accepted: list[str] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    duplicates: list[str] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)
    weights: dict[str, float] = field(default_factory=dict)
    norms: dict[str, float] = field(default_factory=dict)
    cosines: dict[str, float] = field(default_factory=dict)
    losses: dict[str, float] = field(default_factory=dict)
    steps: dict[str, int] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    skipped: str = ""
    remarks: list[str] = field(default_factory=list)
    seconds: float = 0.0
    bytes: int = 0

    def to_json(self) -> dict[str, Any]:
        """Plain values, with what `problems` says; a number that is not finite is None."""
        plain = asdict(self)
        plain["metrics"] = {
            name: value if math.isfinite(value) else None for name, value in self.metrics.items()
        }
        return {**plain, "problems": self.problems()}

    def problems(self) -> list[str]:
        """One line for everything that was not as it should be."""
        lines = [f"rejected {rejection}" for rejection in self.rejected]
        lines += [f"failed {client}: {error}" for client, error in self.failed.items()]
        named = (
            ("no answer from", self.missing),
            ("answer for another round from", self.late),
            ("answer of an unknown client or run:", self.unknown),
            ("sent twice by", self.duplicates),
            ("two different answers from", self.conflicts),
        )
        lines += [f"{words} {', '.join(names)}" for words, names in named if names]
        return [*lines, *self.remarks, *([f"skipped: {self.skipped}"] if self.skipped else [])]


def describe_updates(
    report: RoundReport, updates: Sequence[Update], arrays: Arrays, kinds: Mapping[str, Kind]
) -> None:
    """Fills in weights, norms, cosines and losses, and remarks on updates that stand out."""
    total = sum(update.num_examples for update in updates)
    report.accepted = [update.client for update in updates]
    report.bytes = sum(_bytes(update.arrays) for update in updates)
    for update in updates:
        report.weights[update.client] = update.num_examples / total
        report.norms[update.client] = distance(update.arrays, arrays, kinds)
        report.steps[update.client] = int(update.metrics.get("steps", 0))
        if "loss" in update.metrics:
            report.losses[update.client] = float(update.metrics["loss"])
    report.cosines = _cosines(updates, arrays, kinds)
    middle = statistics.median(report.norms.values())
    for client, norm in report.norms.items():
        if len(updates) > 2 and norm > FAR * middle:
            times = f"{norm / middle:.0f} times" if middle else "infinitely"
            report.remarks.append(f"the update of {client} is {times} longer than the median one")
    for client, cosine in report.cosines.items():
        if len(updates) > 2 and cosine < -0.5:
            report.remarks.append(f"the update of {client} points against the mean of the others")


def _bytes(arrays: Arrays) -> int:
    return sum(value.numel() * value.element_size() for value in arrays.values())


def _cosines(
    updates: Sequence[Update], arrays: Arrays, kinds: Mapping[str, Kind]
) -> dict[str, float]:
    """The cosine of every update with the mean of the others (of all, for one alone)."""
    vectors = {update.client: _flat(update.arrays, arrays, kinds) for update in updates}
    total = torch.stack(list(vectors.values())).sum(0)
    found = {}
    for client, vector in vectors.items():
        others = total - vector if len(vectors) > 1 else total
        length = float(vector.norm() * others.norm())
        found[client] = float(vector @ others) / length if length > 0 else 0.0
    return found


def _flat(arrays: Arrays, others: Arrays, kinds: Mapping[str, Kind]) -> Tensor:
    pieces = [
        (arrays[name].double() - others[name].double()).flatten()
        for name, kind in kinds.items()
        if kind == Kind.AVERAGED
    ]
    return torch.cat(pieces) if pieces else torch.zeros(1, dtype=torch.float64)
