"""Results put together by arm, and what a run says of other records. Shared by all reports."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean, stdev
from typing import Final

import torch
from torch import Tensor
from torch_geometric.data import Batch, Data

from intertwiner.data.collate import collate
from intertwiner.registry import load_registry
from intertwiner.training.recipes import ArmResult
from intertwiner.training.reports import by_arm, draw_all, figure
from intertwiner.training.run import Run, load_run
from intertwiner.training.task import build_task

__all__ = [
    "by_arm",
    "draw_all",
    "draw_both",
    "draw_learning",
    "failures",
    "figure",
    "gauge_error",
    "relative_error",
    "shown",
    "test_records",
]

NOTHING: Final = 0.95
"""A relative error above which nothing was learned."""


def test_records(run: Run, split: str) -> list[Data]:
    """The test part of the run's dataset in another split scheme."""
    settings = replace(run.config.data_settings, split=split)
    task = build_task(load_registry(), replace(run.config, data_settings=settings))
    return list(task.parts["test"])


def relative_error(predicted: Sequence[Tensor], truth: Sequence[Tensor]) -> float:
    """Root of the sum of squared errors over that of squared truths, all records together."""
    pairs = [(p.double(), t.double()) for p, t in zip(predicted, truth, strict=True)]
    errors = sum(float((p - t).square().sum()) for p, t in pairs)
    return math.sqrt(errors / sum(float(t.square().sum()) for _, t in pairs))


def gauge_error(run: Run, record: Data, target: str) -> float:
    """Change of the trained network's output, over its size, when every vertex's frame is turned
    at random; the default frame of every vertex otherwise."""
    turned = record.clone()
    draw = torch.Generator().manual_seed(0)
    turned.gauge_angle = 2 * math.pi * torch.rand(len(record.pos), generator=draw)
    plain, other = (_predict(run, item, target) for item in (record, turned))
    return float((plain - other).norm() / plain.norm())


def _predict(run: Run, record: Data, target: str) -> Tensor:
    batch: Batch = collate([record])
    with torch.no_grad():
        found: Tensor = run.model(batch)[target]
    return found


def shown(values: Sequence[float], digits: int = 4) -> str:
    """Mean and standard deviation over seeds."""
    text = f"{fmean(values):.{digits}f}"
    return text if len(values) < 2 else f"{text} ± {stdev(values):.{digits}f}"


def draw_both(
    results: Sequence[ArmResult], folder: Path, name: str, draw: Callable[[Run, Path], Path]
) -> tuple[list[Path], list[str]]:
    """`curves.png` of all runs and NAME.png by the first run; as `draw_all`."""
    return draw_all(
        {
            "curves": lambda: draw_learning(results, folder / "curves.png"),
            name: lambda: draw(load_run(results[0].folder), folder / f"{name}.png"),
        }
    )


def failures(errors: Mapping[str, float]) -> Iterator[str]:
    """Arms that do not beat zero, and a control that does. errors: arm -> relative error."""
    for arm, error in errors.items():
        control = arm.endswith("-shuffled")
        if control and error < NOTHING:
            yield f"{arm}: {error:.3f}, FAILED: nothing can be learned from shuffled targets."
        elif not control and error > NOTHING:
            yield f"{arm}: NOT LEARNED, it does not beat zero."


def draw_learning(results: Sequence[ArmResult], out: Path) -> Path:
    """The learning curves of all runs."""
    from intertwiner.view.curves import draw_curves

    runs = {f"{result.arm}/{result.seed}": result.folder / "metrics.csv" for result in results}
    return draw_curves(runs, out)
