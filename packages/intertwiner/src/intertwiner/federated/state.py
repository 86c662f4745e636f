"""A federation between two rounds, in one file for an exact continuation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from torch import Tensor

from intertwiner.errors import RunError
from intertwiner.federated.updates import State
from intertwiner.training.checkpoint import FORMAT, check_format, differences
from intertwiner.training.state import prefixed, unprefixed
from intertwiner.training.tensors import load_tensors, save_tensors

__all__ = ["STATE", "FederationState", "load_federation", "save_federation"]

STATE: Final = "federation_state.safetensors"
KIND: Final = "federation state"


@dataclass(kw_only=True)
class FederationState:
    """Where a federation stands after some rounds.

    arrays: of the global model. aggregator: its state. remembered: by client. reports, rows: of
    all rounds so far. skipped: rounds in a row that had no quorum. best: lowest value of the
    column that chooses the kept weights.
    """

    arrays: dict[str, Tensor]
    aggregator: State = field(default_factory=dict)
    remembered: dict[str, dict[str, Tensor]] = field(default_factory=dict)
    reports: list[dict[str, Any]] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    skipped: int = 0
    steps: int = 0
    seconds: float = 0.0
    best: float = float("inf")

    @property
    def next_round(self) -> int:
        return len(self.reports)


def save_federation(
    path: Path, state: FederationState, settings: Mapping[str, Any], data: Sequence[int]
) -> None:
    """Writes everything the next round depends on, atomically.

    settings: of the whole run. data: the number of records of every client and a fingerprint.
    """
    tensors = prefixed("arrays", state.arrays)
    numbers: dict[str, float | int] = {}
    for name, value in state.aggregator.items():
        if isinstance(value, Tensor):
            tensors[f"aggregator/{name}"] = value
        else:
            numbers[name] = value
    for client, kept in state.remembered.items():
        tensors |= prefixed(f"client/{client}", kept)
    record = {
        "format": FORMAT,
        "kind": KIND,
        "settings": dict(settings),
        "data": list(data),
        "numbers": numbers,
        "reports": state.reports,
        "rows": state.rows,
        "skipped": state.skipped,
        "steps": state.steps,
        "seconds": state.seconds,
        "best": state.best,
    }
    save_tensors(path, tensors, record)


def load_federation(
    path: Path, settings: Mapping[str, Any], data: Sequence[int]
) -> FederationState:
    """What `save_federation` wrote.

    Raises `RunError` for a damaged file, and for other settings or data with every difference.
    """
    tensors, record = load_tensors(path)
    check_format(path, record, KIND)
    changed = differences(record["settings"], dict(settings))
    if list(data) != record["data"]:
        changed.append("the clients' records: others than those the run began with")
    if changed:
        raise RunError(
            f"{path}: cannot be resumed exactly with other settings: {'; '.join(changed)}; "
            "use the stored ones, or start a new run with another --out"
        )
    remembered: dict[str, dict[str, Tensor]] = {}
    for name, value in unprefixed("client", tensors).items():
        client, _, key = name.partition("/")
        remembered.setdefault(client, {})[key] = value
    return FederationState(
        arrays=unprefixed("arrays", tensors),
        aggregator={**unprefixed("aggregator", tensors), **record["numbers"]},
        remembered=remembered,
        reports=record["reports"],
        rows=record["rows"],
        skipped=record["skipped"],
        steps=record["steps"],
        seconds=record["seconds"],
        best=record["best"],
    )
