"""The report of `tetris`: accuracy at unseen rotations, and what is lost by turning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

import torch
from torch_geometric.data import Data

from intertwiner.training.recipes import ArmResult, Report
from intertwiner.training.run import Run, load_run
from intertwiner_steerable3d.recipes.results import (
    accuracy,
    by_arm,
    draw_all,
    figure,
    logits,
    records_of,
    shown,
)

__all__ = ["report"]

COLUMNS = ("arm", "parameters", "training", "unseen rotations", "unrotated", "seconds")


class Score(NamedTuple):
    """Accuracy on the training volumes, at unseen rotations, and of the pieces as they stand."""

    training: float
    test: float
    still: float


def report(results: Sequence[ArmResult], folder: Path) -> Report:
    """Every arm's accuracies over its seeds. folder: where the pictures are written."""
    arms = by_arm(results)
    scores = {arm: [_score(load_run(one.folder)) for one in found] for arm, found in arms.items()}
    pictures, missing = draw_all(
        {"kernels and fields": lambda: _draw(results[0], folder / "fields.png")}
    )
    return Report(
        title="Tetris: share of pieces named rightly",
        columns=COLUMNS,
        rows=tuple(_row(arm, arms[arm], scores[arm]) for arm in arms),
        figures=tuple(
            figure(f"{arm}/accuracy", [score.test for score in found], _required(arm))
            for arm, found in scores.items()
        ),
        pictures=tuple(pictures),
        notes=(*_remarks(scores), *missing),
    )


def _score(run: Run) -> Score:
    settings = replace(run.config.data_settings, split="unrotated")
    still = replace(run, config=replace(run.config, data_settings=settings))
    parts = (records_of(run, "train"), records_of(run, "test"), records_of(still, "test"))
    return Score(*(_accuracy(run, list(records)) for records in parts))


def _accuracy(run: Run, records: Sequence[Data]) -> float:
    rows = list(records)
    truth = torch.cat([record.piece for record in rows])
    return accuracy(logits(run, rows, "piece"), truth)


def _row(arm: str, found: Sequence[ArmResult], scores: Sequence[Score]) -> tuple[str, ...]:
    columns = (shown(values) for values in zip(*scores, strict=True))
    return (
        arm,
        f"{found[0].parameters:,}",
        *columns,
        f"{fmean(one.seconds for one in found):.0f}",
    )


def _required(arm: str) -> str | None:
    return {"steerable": ">= 0.90", "cnn": "< 0.45"}.get(arm)


def _remarks(scores: Mapping[str, Sequence[Score]]) -> list[str]:
    """An accuracy counts only where every training volume is named rightly."""
    return [
        f"{arm}: DOES NOT COUNT, the training volumes are not all named rightly"
        for arm, found in scores.items()
        if min(score.training for score in found) < 1 and "plain" not in arm
    ]


def _draw(result: ArmResult, out: Path) -> Path:
    from intertwiner_steerable3d.view.volumes import draw_volumes

    records = records_of(load_run(result.folder), "test")
    chosen = [records[index] for index in range(8)]
    volumes = {str(record.name).split()[0]: record.volume[0, 0] for record in chosen}
    return draw_volumes(volumes, out)
