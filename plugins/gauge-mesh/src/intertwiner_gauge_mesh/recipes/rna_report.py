"""The report of `rna-segmentation`: accuracy per surface beside controls that learn nothing.

All surfaces are of one family: for 29 of the 40 test surfaces one nearly alike is trained on. So
there are three numbers: all test surfaces, those, and the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean

import numpy as np
from torch_geometric.data import Data

from intertwiner.training.recipes import ArmResult, Figure, Report
from intertwiner.training.run import Run, load_run
from intertwiner_gauge_mesh.datasets.rna import rna_place
from intertwiner_gauge_mesh.datasets.rna_control import (
    alignment_control,
    majority_control,
    place_control,
    whole_surface_labels,
)
from intertwiner_gauge_mesh.datasets.rna_files import RnaFiles, open_rna
from intertwiner_gauge_mesh.recipes.results import (
    by_arm,
    draw_all,
    draw_learning,
    figure,
    shown,
    test_records,
)

__all__ = ["report"]

COLUMNS = ("arm", "parameters", "all", "similar", "dissimilar", "all vertices", "seconds")
_PARTS = ("official", "similar", "dissimilar")
Accuracies = Mapping[str, float]


def report(results: Sequence[ArmResult], folder: Path) -> Report:
    """Mean over surfaces of the share of vertices that get their label.

    "all vertices" counts those of no face too, with the label of the nearest, as published
    figures on the whole set do; this part of the set is not to be compared with those.
    """
    arms = by_arm(results)
    first = load_run(results[0].folder)
    files = open_rna(rna_place(first.config.data_settings))
    parts = {part: [record.name for record in test_records(first, part)] for part in _PARTS}
    records = test_records(first, "official")
    scores = {
        arm: [_scored(load_run(result.folder), records, files) for result in found]
        for arm, found in arms.items()
    }
    controls = _controls(files, parts["official"])
    pictures, missing = draw_all({"curves": lambda: draw_learning(results, folder / "curves.png")})
    rows = [_row(arm, arms[arm], scores[arm], parts) for arm in arms]
    rows += [(name, "0", *_means(found, parts), "", "") for name, found in controls.items()]
    return Report(
        title="RNA surfaces: accuracy, mean over test surfaces",
        columns=COLUMNS,
        rows=tuple(rows),
        figures=tuple(_figures(arms, scores, controls, parts)),
        pictures=tuple(pictures),
        notes=(
            "Similar surfaces share a cluster of shape with a training surface; see "
            "datasets/rna_similarity.py. The alignment control copies the labels of one surface; "
            "by place alone the nearest vertices of all training surfaces vote.",
            *missing,
        ),
    )


def _scored(run: Run, records: Sequence[Data], files: RnaFiles) -> dict[str, tuple[float, float]]:
    """Name -> accuracy on used vertices, and on all."""
    found = {}
    for record in records:
        predicted = run.predict([record])[0]["nucleotide"].argmax(dim=1).numpy()
        used = float((predicted == record.nucleotide.numpy()).mean())
        surface = files.read(record.name)
        whole = whole_surface_labels(surface, predicted - 1)
        found[record.name] = used, float((whole == surface.labels).mean())
    return found


def _controls(files: RnaFiles, test: Sequence[str]) -> dict[str, Accuracies]:
    """Of all training surfaces of the official split, validation included."""
    known = [files.read(name) for name in files.names if files.parts[name] == "train"]
    unknown = [files.read(name) for name in test]
    return {
        "alignment control": alignment_control(known, unknown),
        "place alone": place_control(known, unknown),
        "majority class": {item.name: majority_control(known, [item]) for item in unknown},
    }


def _means(found: Accuracies, parts: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    return tuple(f"{_mean(found, names):.3f}" for names in parts.values())


def _mean(found: Accuracies, names: Sequence[str]) -> float:
    return float(np.mean([found[name] for name in names])) if names else float("nan")


def _row(
    arm: str,
    found: Sequence[ArmResult],
    scores: Sequence[Mapping[str, tuple[float, float]]],
    parts: Mapping[str, Sequence[str]],
) -> tuple[str, ...]:
    used = [{name: pair[0] for name, pair in score.items()} for score in scores]
    whole = [{name: pair[1] for name, pair in score.items()} for score in scores]
    return (
        arm,
        f"{found[0].parameters:,}",
        *(shown([_mean(score, names) for score in used], 3) for names in parts.values()),
        shown([_mean(score, parts["official"]) for score in whole], 3),
        f"{fmean(result.seconds for result in found):.0f}",
    )


def _figures(
    arms: Mapping[str, Sequence[ArmResult]],
    scores: Mapping[str, Sequence[Mapping[str, tuple[float, float]]]],
    controls: Mapping[str, Accuracies],
    parts: Mapping[str, Sequence[str]],
) -> Iterator[Figure]:
    bar = _mean(controls["alignment control"], parts["dissimilar"])
    for arm, found in scores.items():
        used = [{name: pair[0] for name, pair in score.items()} for score in found]
        for part, names in parts.items():
            goal = {"official": "> 0.90", "dissimilar": f"> {bar:.3f}"}.get(part)
            goal = goal if arm == "moments" else None
            yield figure(f"{arm}/{part}", [_mean(score, names) for score in used], "", goal)
        yield Figure(f"{arm}/parameters", float(arms[arm][0].parameters))
    for name, control in controls.items():
        for part, names in parts.items():
            yield Figure(f"{name}/{part}", _mean(control, names))
