"""The report of `tetris`: accuracy at unseen rotations, and what is lost by turning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor
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

__all__ = ["change_under_rotation", "report"]

COLUMNS = (
    *("arm", "parameters", "training", "unseen rotations", "unrotated"),
    *("change under rotation", "seconds"),
)


class Score(NamedTuple):
    """Accuracy on the training volumes, at unseen rotations, and of the pieces as they stand.

    change: of a piece's logits from rotation to rotation, over their change from piece to piece.
    """

    training: float
    test: float
    still: float
    change: float


def report(results: Sequence[ArmResult], folder: Path) -> Report:
    """Every arm's accuracies over its seeds. folder: where the pictures are written."""
    arms = by_arm(results)
    scores = {arm: [_score(load_run(one.folder)) for one in found] for arm, found in arms.items()}
    pictures, missing = draw_all(
        {
            "pieces": lambda: _draw(results[0], folder / "pieces.png"),
            "kernels": lambda: _draw_kernels(results[0], folder / "kernels.png"),
        }
    )
    return Report(
        title="Tetris: share of pieces named rightly",
        columns=COLUMNS,
        rows=tuple(_row(arm, arms[arm], scores[arm]) for arm in arms),
        figures=tuple(
            figure(f"{arm}/accuracy", [score.test for score in found], required=_required(arm))
            for arm, found in scores.items()
        ),
        pictures=tuple(pictures),
        notes=(*_remarks(scores), *missing),
    )


def _score(run: Run) -> Score:
    settings = replace(run.config.data_settings, split="unrotated")
    still = replace(run, config=replace(run.config, data_settings=settings))
    parts = (records_of(run, "train"), records_of(run, "test"), records_of(still, "test"))
    told = [(logits(run, list(rows), "piece"), _labels(rows)) for rows in parts]
    training, test, still_there = (accuracy(*pair) for pair in told)
    return Score(training, test, still_there, change_under_rotation(*told[1]))


def _labels(records: Sequence[Data]) -> Int[Tensor, " records"]:
    return torch.cat([record.piece for record in records])


def change_under_rotation(
    scores: Float[Tensor, "records classes"], truth: Int[Tensor, " records"]
) -> float:
    """Root mean square spread within the pieces over that of the pieces' means.

    0 for a network that is invariant; the shifts by parts of a voxel count too.
    """
    groups = [scores[truth == piece] for piece in truth.unique()]
    means = torch.stack([group.mean(0) for group in groups])
    within = torch.cat([group - group.mean(0) for group in groups]).square().mean()
    between = (means - means.mean(0)).square().mean()
    return float((within / between.clamp(min=1e-30)).sqrt())


def _row(arm: str, found: Sequence[ArmResult], scores: Sequence[Score]) -> tuple[str, ...]:
    *shares, change = zip(*scores, strict=True)
    columns = [shown(values) for values in shares]
    return (
        arm,
        f"{found[0].parameters:,}",
        *columns,
        f"{fmean(change):.2f}",
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


def _draw_kernels(result: ArmResult, out: Path) -> Path:
    """What the first layer has learned, from the volume to a field of each order."""
    from intertwiner_steerable3d.view.kernels import first_kernels
    from intertwiner_steerable3d.view.volumes import draw_volumes

    return draw_volumes(first_kernels(load_run(result.folder).model), out, level=0.25)
