"""The report of `advection`: every arm beside the formulas, on unseen shapes and meshes."""

from __future__ import annotations

import math
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
    draw_both,
    failures,
    figure,
    gauge_error,
    relative_error,
    shown,
    test_records,
)

__all__ = ["formulas", "report"]

GOAL = "<= 0.035"
COLUMNS = (
    "arm", "parameters", "unseen shapes", "jittered", "unseen meshes", "ratio", "to families",
    "turned frames", "ms a step",
)  # fmt: skip
_SPLITS = ("random", "jittered", "remeshed")
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
    pictures, missing = draw_both(
        results, folder, "advection", lambda run, out: _draw(run, records["remeshed"][0], out)
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
        *(shown(scores[split]) for split in _SPLITS),
        *_ratio_texts({split: fmean(found) for split, found in scores.items()}),
        f"{gauge_error(run, record, 'advection'):.0e}",
        f"{1000 * fmean(result.seconds for result in found) / _steps(run):.0f}",
    )


def _steps(run: Run) -> int:
    data, training = run.config.data_settings, run.config.training
    records = data.training_shapes * data.fields
    return training.epochs * -(-records // training.batch_size)


def _formula_row(name: str, found: Mapping[str, float]) -> tuple[str, ...]:
    errors = (f"{found[split]:.4f}" for split in _SPLITS)
    return name, "0", *errors, *_ratio_texts(found), "", ""


def _ratio_texts(errors: Mapping[str, float]) -> tuple[str, str]:
    regular, families = ratios(errors)
    return f"{regular:.2f}", f"{families:.2f}"


def ratios(errors: Mapping[str, float]) -> tuple[float, float]:
    """The error on unseen meshes over that on regular ones, and over that on both families that
    are trained on, of which half the training shapes are each."""
    both = math.sqrt((errors["random"] ** 2 + errors["jittered"] ** 2) / 2)
    return errors["remeshed"] / errors["random"], errors["remeshed"] / both


def _figures(
    arms: Mapping[str, Sequence[ArmResult]],
    scores: Scores,
    classical: Mapping[str, Mapping[str, float]],
) -> Iterator[Figure]:
    for arm, found in scores.items():
        goal = GOAL if arm == "moments" else None
        yield figure(f"{arm}/relative error", found["random"], "", goal)
        yield figure(f"{arm}/relative error, unseen meshes", found["remeshed"], "")
        yield figure(f"{arm}/relative error, jittered meshes", found["jittered"], "")
        seeds = [
            ratios(dict(zip(found, row, strict=True))) for row in zip(*found.values(), strict=True)
        ]
        required = "<= 1.25" if arm == "moments" else None
        regular, families = zip(*seeds, strict=True)
        yield figure(f"{arm}/ratio of unseen to regular meshes", regular, "", required)
        yield figure(f"{arm}/ratio of unseen to trained families", families, "", required)
        yield Figure(f"{arm}/parameters", float(arms[arm][0].parameters))
    for name, by_split in classical.items():
        yield Figure(f"{name}/relative error", by_split["random"])
        yield Figure(f"{name}/relative error, jittered meshes", by_split["jittered"])
        yield Figure(f"{name}/relative error, unseen meshes", by_split["remeshed"])


def _remarks(run: Run, records: Sequence[Data], scores: Scores) -> Iterator[str]:
    data = run.config.data_settings
    yield (
        f"Trained on {data.training_shapes} shapes with {data.fields} fields each, tested on "
        f"{len(records)} records of {data.other_shapes} other shapes, all turned at random; "
        "unseen meshes: the same shapes through spiral points."
    )
    yield "point-messages-strong is given (v.d)(u_q - u_p)/|d|^2, which is nearly the answer."
    yield (
        "jittered: the irregular meshes that half the training shapes have; to families: unseen "
        "meshes over both families that are trained on."
    )
    yield from failures({arm: fmean(found["random"]) for arm, found in scores.items()})


def _draw(run: Run, record: Data, out: Path) -> Path:
    from intertwiner_gauge_mesh.view.panels import draw_panels

    predicted = run.predict([record])[0]["advection"]
    return draw_panels(record, {"scalar": (record.advection, predicted)}, out, title="advection")
