"""Results put together by arm, and what trained networks say of records. Shared by reports."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, stdev

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch_geometric.data import Data

from intertwiner.registry import load_registry
from intertwiner.training.reports import by_arm, draw_all, figure
from intertwiner.training.run import Run
from intertwiner.training.task import build_task

__all__ = ["accuracy", "by_arm", "draw_all", "figure", "logits", "records_of", "shown"]


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
