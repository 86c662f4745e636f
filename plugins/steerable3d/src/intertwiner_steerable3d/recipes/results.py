"""Results put together by arm, and what trained networks say of records. Shared by reports."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from statistics import fmean, stdev

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch_geometric.data import Data

from intertwiner.errors import RunError
from intertwiner.registry import load_registry
from intertwiner.training.recipes import ArmResult, Figure
from intertwiner.training.run import Run
from intertwiner.training.task import build_task

__all__ = ["accuracy", "by_arm", "draw_all", "figure", "logits", "records_of", "shown"]


def by_arm(results: Iterable[ArmResult]) -> dict[str, list[ArmResult]]:
    """arm -> its results, one for every seed."""
    arms: dict[str, list[ArmResult]] = {}
    for result in results:
        arms.setdefault(result.arm, []).append(result)
    return arms


def records_of(run: Run, part: str) -> Sequence[Data]:
    """The records of one part of the run's own data."""
    return build_task(load_registry(), run.config).parts[part]


def logits(run: Run, records: Sequence[Data], target: str) -> Float[Tensor, "records classes"]:
    """Scores of all classes."""
    found = run.predict(records, batch_size=64)
    return torch.cat([item[target].reshape(1, -1) for item in found])


def accuracy(scores: Float[Tensor, "records classes"], truth: Int[Tensor, " records"]) -> float:
    """Share of records whose class has the highest score."""
    return float((scores.argmax(1) == truth).double().mean())


def shown(values: Sequence[float], digits: int = 1) -> str:
    """Percent: mean and standard deviation over seeds."""
    text = f"{100 * fmean(values):.{digits}f} %"
    return text if len(values) < 2 else f"{text} ± {100 * stdev(values):.{digits}f}"


def figure(name: str, values: Sequence[float], required: str | None = None) -> Figure:
    """Mean and standard deviation over seeds, for programs."""
    spread = stdev(values) if len(values) > 1 else None
    return Figure(name, fmean(values), spread, len(values), "", required=required)


def draw_all(drawings: Mapping[str, Callable[[], Path]]) -> tuple[list[Path], list[str]]:
    """The pictures, and for those that could not be drawn a sentence with the reason."""
    pictures, missing = [], []
    for name, draw in drawings.items():
        try:
            pictures.append(draw())
        except RunError as error:
            missing.append(f"The picture {name} is left out: {error}")
    return pictures, missing
