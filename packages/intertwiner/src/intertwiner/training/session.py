"""The state of a training that is under way, and its file for an exact continuation."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from torch import nn
from torch.optim import Optimizer

from intertwiner.errors import RunError
from intertwiner.training.average import AverageModel
from intertwiner.training.checkpoint import FORMAT, check_format, differences, load_weights
from intertwiner.training.settings import RunConfig
from intertwiner.training.state import load_optimizer, optimizer_state, prefixed, unprefixed
from intertwiner.training.task import config_to_plain
from intertwiner.training.tensors import load_tensors, save_tensors

__all__ = ["Counters", "load_state", "save_state"]


@dataclass
class Counters:
    """Where a training stands. `step` counts within the epoch, `total` from the start."""

    epoch: int = 0
    step: int = 0
    total: int = 0
    loss_sum: float = 0.0
    seconds: float = 0.0
    best: float = float("inf")
    rows: list[dict[str, Any]] = field(default_factory=list)


def save_state(
    path: Path,
    config: RunConfig,
    world_size: int,
    counters: Counters,
    model: nn.Module,
    average: AverageModel | None,
    optimizer: Optimizer,
) -> None:
    """Writes all that the next step depends on into one file, atomically."""
    tensors, groups = optimizer_state(optimizer)
    everything = prefixed("model", model.state_dict()) | prefixed("optimizer", tensors)
    if average is not None:
        everything |= prefixed("average", average.state_dict())
    record = {
        "format": FORMAT,
        "kind": "training state",
        "config": config_to_plain(config),
        "world_size": world_size,
        "counters": asdict(counters),
        "groups": groups,
    }
    save_tensors(path, everything, record)


def load_state(
    path: Path,
    config: RunConfig,
    world_size: int,
    model: nn.Module,
    average: AverageModel | None,
    optimizer: Optimizer,
) -> Counters:
    """Puts back what `save_state` wrote.

    Raises `RunError` when the file is damaged, or was written with other settings or another
    number of processes (each difference is named): such a run could not be continued exactly.
    """
    tensors, record = load_tensors(path)
    check_format(path, record, "training state")
    changed = differences(
        {**record["config"], "world_size": record["world_size"]},
        {**config_to_plain(config), "world_size": world_size},
    )
    if changed:
        raise RunError(
            f"{path}: cannot be resumed exactly with other settings: {'; '.join(changed)}; "
            "use the stored ones, or start a new run with another --out"
        )
    load_weights(path, model, unprefixed("model", tensors))
    if average is not None:
        load_weights(path, average, unprefixed("average", tensors))
    load_optimizer(optimizer, unprefixed("optimizer", tensors), record["groups"])
    return Counters(**record["counters"])
