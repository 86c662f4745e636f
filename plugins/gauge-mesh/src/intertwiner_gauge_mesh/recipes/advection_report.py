"""The report of `advection`: every arm beside the formulas, on unseen shapes and meshes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean

import torch
from torch import Tensor
from torch_geometric.data import Data

from intertwiner.training.recipes import ArmResult, Figure, Report
from intertwiner.training.run import Run, load_run
from intertwiner_gauge_mesh.baselines.gradient import (
    advected,
    face_gradient,
    least_squares_gradient,
)
from intertwiner_gauge_mesh.plan import MeshPlan
from intertwiner_gauge_mesh.recipes.results import (
    by_arm,
    draw_all,
    draw_learning,
    figure,
    gauge_error,
    relative_error,
    shown,
    test_records,
)

__all__ = ["formulas", "report"]

GOAL = "<= 0.035"
COLUMNS = (
    "arm", "parameters", "unseen shapes", "unseen meshes", "ratio", "turned frames", "ms a step",
)  # fmt: skip
_SPLITS = ("random", "remeshed")
_CONTROL = "moments-shuffled"
Scores = Mapping[str, Mapping[str, Sequence[float]]]


def report(results: Sequence[ArmResult], folder: Path) -> Report:
    """Relative root mean square errors, mean and standard deviation over seeds.

    folder: where `curves.png` and `advection.png` are written.
    """
    arms = by_arm(results)
    first = load_run(results[0].folder)
    records = {split: test_records(first, split) for split in _SPLITS}
    scores = {arm: _scores(found, records) for arm, found in arms.items()}
    classical = formulas(records)
    pictures, missing = draw_all(
        {
            "curves": lambda: draw_learning(results, folder / "curves.png"),
            "advection": lambda: _draw(first, records["remeshed"][0], folder / "advection.png"),
        }
    )
    rows = [_row(arm, arms[arm], scores[arm], records["random"][0]) for arm in arms]
    rows += [_formula_row(name, found) for name, found in classical.items()]
    return Report(
        title="Advection on bumpy spheres: relative root mean square error",
        columns=COLUMNS,
        rows=tuple(rows),
        figures=tuple(_figures(arms, scores, classical)),
        pictures=tuple(pictures),
        notes=(*_remarks(first, records["random"], scores), *missing),
    )


def formulas(records: Mapping[str, Sequence[Data]]) -> dict[str, dict[str, float]]:
    """name -> split -> relative error of what needs no learning."""
    found: dict[str, dict[str, float]] = {}
    for split, items in records.items():
        truth = [record.advection for record in items]
        by_name = {
            "zero": [torch.zeros_like(item) for item in truth],
            "least-squares gradient": [_least_squares(record) for record in items],
            "face gradient": [_faces(record) for record in items],
        }
        for name, predicted in by_name.items():
            found.setdefault(name, {})[split] = relative_error(predicted, truth)
    return found


def _least_squares(record: Data) -> Tensor:
    plan = MeshPlan.from_mesh(record.pos, record.face)
    return advected(least_squares_gradient(plan, record.u), record.v)


def _faces(record: Data) -> Tensor:
    return advected(face_gradient(record.pos, record.face, record.u), record.v)


def _scores(
    found: Sequence[ArmResult], records: Mapping[str, Sequence[Data]]
) -> dict[str, list[float]]:
    """split -> relative error of every seed."""
    scores: dict[str, list[float]] = {split: [] for split in records}
    for result in found:
        run = load_run(result.folder)
        for split, items in records.items():
            predicted = [item["advection"] for item in run.predict(items, batch_size=8)]
            scores[split].append(relative_error(predicted, [item.advection for item in items]))
    return scores


def _row(
    arm: str, found: Sequence[ArmResult], scores: Mapping[str, Sequence[float]], record: Data
) -> tuple[str, ...]:
    run = load_run(found[0].folder)
    return (
        arm,
        f"{found[0].parameters:,}",
        shown(scores["random"]),
        shown(scores["remeshed"]),
        f"{fmean(scores['remeshed']) / fmean(scores['random']):.2f}",
        f"{gauge_error(run, record, 'advection'):.0e}",
        f"{1000 * fmean(result.seconds for result in found) / _steps(run):.0f}",
    )


def _steps(run: Run) -> int:
    data, training = run.config.data_settings, run.config.training
    records = data.training_shapes * data.fields
    return training.epochs * -(-records // training.batch_size)


def _formula_row(name: str, found: Mapping[str, float]) -> tuple[str, ...]:
    ratio = f"{found['remeshed'] / found['random']:.2f}"
    return name, "0", f"{found['random']:.4f}", f"{found['remeshed']:.4f}", ratio, "", ""


def _figures(
    arms: Mapping[str, Sequence[ArmResult]],
    scores: Scores,
    classical: Mapping[str, Mapping[str, float]],
) -> Iterator[Figure]:
    for arm, found in scores.items():
        goal = GOAL if arm == "moments" else None
        yield figure(f"{arm}/relative error", found["random"], "", goal)
        yield figure(f"{arm}/relative error, unseen meshes", found["remeshed"], "")
        ratios = [b / a for a, b in zip(found["random"], found["remeshed"], strict=True)]
        required = "<= 1.25" if arm == "moments" else None
        yield figure(f"{arm}/ratio of unseen meshes", ratios, "", required)
        yield Figure(f"{arm}/parameters", float(arms[arm][0].parameters))
    for name, by_split in classical.items():
        yield Figure(f"{name}/relative error", by_split["random"])
        yield Figure(f"{name}/relative error, unseen meshes", by_split["remeshed"])


def _remarks(run: Run, records: Sequence[Data], scores: Scores) -> Iterator[str]:
    data = run.config.data_settings
    yield (
        f"Trained on {data.training_shapes} shapes with {data.fields} fields each, tested on "
        f"{len(records)} records of {data.other_shapes} other shapes, all turned at random; "
        "unseen meshes: the same shapes through spiral points."
    )
    yield "point-messages-strong is given (v.d)(u_q - u_p)/|d|^2, which is nearly the answer."
    for arm, found in scores.items():
        error = fmean(found["random"])
        if arm == _CONTROL and error < 0.95:
            yield f"{arm}: {error:.3f}, FAILED: nothing can be learned from shuffled targets."
        elif arm != _CONTROL and error > 0.95:
            yield f"{arm}: NOT LEARNED, it does not beat zero."


def _draw(run: Run, record: Data, out: Path) -> Path:
    from intertwiner_gauge_mesh.view.panels import draw_panels

    predicted = run.predict([record])[0]["advection"]
    return draw_panels(record, {"scalar": (record.advection, predicted)}, out, title="advection")
