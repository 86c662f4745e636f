"""The report of `propensity`: accuracies by cluster, beside every control."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import torch
from jaxtyping import Float, Int
from torch import Tensor

from intertwiner.training.recipes import ArmResult, Figure, Report
from intertwiner.training.run import Run, load_run
from intertwiner_steerable3d.data.archive import read_archive
from intertwiner_steerable3d.data.config import PropensityData
from intertwiner_steerable3d.data.environments import Environment, Environments
from intertwiner_steerable3d.data.folder import read_folder
from intertwiner_steerable3d.data.proteins import AMINO_ACIDS
from intertwiner_steerable3d.data.supplied import supplied
from intertwiner_steerable3d.recipes.results import (
    accuracy,
    by_arm,
    draw_all,
    figure,
    logits,
    records_of,
    shown,
)
from intertwiner_steerable3d.view.residues import (
    confusion,
    draw_confusion,
    draw_environments,
    draw_learning,
)

__all__ = ["cluster_error", "report"]

COLUMNS = ("arm", "parameters", "training residues", "training", "test", "standard error", "CPU s")
OURS = "steerable"
CONTROL = "counts"
SAMPLES = 1000
TRAINING = 2000
"""Training residues that the training accuracy is taken on."""


@dataclass(frozen=True, slots=True)
class Score:
    """Scores of the test residues, their types and clusters; training accuracy, its residues."""

    scores: Float[Tensor, "residues classes"]
    truth: Int[Tensor, " residues"]
    cluster: Int[Tensor, " residues"]
    training: float
    residues: int

    @property
    def hits(self) -> Float[Tensor, " residues"]:
        return (self.scores.argmax(1) == self.truth).double()


def report(results: Sequence[ArmResult], folder: Path) -> Report:
    """Test accuracy with its standard error by bootstrap over clusters. folder: for pictures."""
    arms = by_arm(results)
    scores = {arm: [_score(load_run(one.folder)) for one in found] for arm, found in arms.items()}
    first = scores[OURS][0]
    drawings = {
        "confusion": lambda: draw_confusion(
            confusion(first.scores.argmax(1), first.truth), folder / "confusion.png"
        ),
        "environments": lambda: _draw(arms[OURS][0], folder / "environments.png"),
        "learning": lambda: draw_learning(_curves(scores), folder / "training_size.png"),
    }
    pictures, missing = draw_all(drawings)
    return Report(
        title="Amino acids from their surroundings: share named rightly, by cluster",
        columns=COLUMNS,
        rows=tuple(_row(arm, arms[arm], scores[arm]) for arm in arms),
        figures=tuple(_figures(scores)),
        pictures=tuple(pictures),
        notes=(*_remarks(scores), *missing),
    )


def _score(run: Run) -> Score:
    test, train = records_of(run, "test"), records_of(run, "train")
    some = [train[index] for index in range(0, len(train), max(1, len(train) // TRAINING))]
    truth = torch.cat([record.residue for record in some])
    rows = list(test)
    return Score(
        logits(run, rows, "residue"),
        torch.cat([record.residue for record in rows]),
        _clusters(run, [str(record.name).rsplit(":", 1)[0] for record in rows]),
        accuracy(logits(run, some, "residue"), truth),
        len(train),
    )


def _clusters(run: Run, proteins: Sequence[str]) -> Int[Tensor, " residues"]:
    names, clusters = _files(run.config.data_settings)
    known = dict(zip(names, clusters, strict=True))
    return torch.tensor([known[name] for name in proteins])


def _files(settings: PropensityData) -> tuple[tuple[str, ...], list[int]]:
    path = supplied(settings.path, "propensity", "bm5_unbound.npz", "the proteins")
    read = read_folder(path, settings.split_file) if path.is_dir() else read_archive(path)
    return read[0].names, read[1].cluster.tolist()


def cluster_error(hits: Float[Tensor, " residues"], cluster: Int[Tensor, " residues"]) -> float:
    """Standard error of the mean of `hits` by bootstrap over clusters, which residues share."""
    numbers = torch.unique(cluster, return_inverse=True)[1]
    count = int(numbers.max()) + 1
    total = torch.zeros(count, dtype=torch.float64).index_add(0, numbers, hits)
    size = torch.bincount(numbers, minlength=count).double()
    draw = torch.Generator().manual_seed(0)
    chosen = torch.randint(count, (SAMPLES, count), generator=draw)
    return float((total[chosen].sum(1) / size[chosen].sum(1)).std())


def _row(arm: str, found: Sequence[ArmResult], scores: Sequence[Score]) -> tuple[str, ...]:
    errors = [cluster_error(score.hits, score.cluster) for score in scores]
    return (
        arm,
        f"{found[0].parameters:,}",
        f"{scores[0].residues:,}",
        shown([score.training for score in scores]),
        shown([float(score.hits.mean()) for score in scores]),
        shown([fmean(errors)], 2),
        f"{fmean(one.seconds for one in found):.0f}",
    )


def _figures(scores: Mapping[str, Sequence[Score]]) -> Iterator[Figure]:
    for arm, found in scores.items():
        required = "> 0.29 by 3 standard errors" if arm == OURS else None
        values = [float(score.hits.mean()) for score in found]
        yield figure(f"{arm}/accuracy", values, required=required)
    ours = scores[OURS][0]
    yield Figure(f"{OURS}/standard error", cluster_error(ours.hits, ours.cluster))
    if CONTROL in scores:
        gained = ours.hits - scores[CONTROL][0].hits
        yield Figure(f"{OURS} - {CONTROL}", float(gained.mean()))
        yield Figure(f"{OURS} - {CONTROL}/standard error", cluster_error(gained, ours.cluster))


def _remarks(scores: Mapping[str, Sequence[Score]]) -> Iterator[str]:
    ours = scores[OURS][0]
    shares = torch.bincount(ours.truth, minlength=len(AMINO_ACIDS)).double() / len(ours.truth)
    most = int(shares.argmax())
    yield f"Always {AMINO_ACIDS[most]}: {100 * float(shares[most]):.2f} % of the test residues."
    found = confusion(ours.scores.argmax(1), ours.truth)
    recall = found.diagonal().double() / found.sum(1).clamp(min=1)
    order = recall.argsort(descending=True).tolist()
    listed = ", ".join(f"{AMINO_ACIDS[place]} {100 * float(recall[place]):.0f}" for place in order)
    yield f"Share of each type named rightly by {OURS}, in percent: {listed}."
    yield "Residues of a cluster are not independent: errors are by bootstrap over clusters."


def _curves(scores: Mapping[str, Sequence[Score]]) -> dict[str, dict[int, float]]:
    """Test accuracies by model and number of training residues; "NAME-NUMBER" belongs to NAME."""
    curves: dict[str, dict[int, float]] = {}
    for arm, found in scores.items():
        name, _, size = arm.rpartition("-")
        known = name if size.isdigit() else arm
        if known in (OURS, CONTROL, "cnn"):
            points = curves.setdefault(known, {})
            points[found[0].residues] = fmean(float(score.hits.mean()) for score in found)
    return curves


def _draw(result: ArmResult, out: Path) -> Path:
    """Three test residues with what is predicted for them."""
    run = load_run(result.folder)
    records = records_of(run, "test")
    chosen = [records[index] for index in range(0, len(records), max(1, len(records) // 3))][:3]
    odds = logits(run, chosen, "residue").softmax(1)
    around = _surroundings(run.config.data_settings, [str(record.name) for record in chosen])
    items = [
        (str(record.name), here, row, int(record.residue))
        for record, here, row in zip(chosen, around, odds, strict=True)
    ]
    return draw_environments(items, out)


def _surroundings(settings: PropensityData, names: Sequence[str]) -> list[Environment]:
    path = supplied(settings.path, "propensity", "bm5_unbound.npz", "the proteins")
    read = read_folder(path, settings.split_file) if path.is_dir() else read_archive(path)
    proteins = read[0]
    numbers = []
    for name in names:
        protein, _, number = name.rpartition(":")
        first = proteins.residue_ptr[proteins.names.index(protein)]
        numbers.append(int(first) + int(number) - 1)
    made = Environments(proteins, torch.tensor(numbers), 9.0)
    return [made[index] for index in range(len(numbers))]
