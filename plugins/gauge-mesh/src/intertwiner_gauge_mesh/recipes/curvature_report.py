"""The report of `curvature`: every arm beside the fitted quadric."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean

import torch
from jaxtyping import Float
from torch import Tensor
from torch_geometric.data import Data

from intertwiner.registry import load_registry
from intertwiner.training.recipes import ArmResult, Figure, Report
from intertwiner.training.run import Run, load_run
from intertwiner.training.task import build_task
from intertwiner_gauge_mesh.baselines.quadric import quadric_shape_tensors, shrinking_factor
from intertwiner_gauge_mesh.datasets.curvature import tangential_deviator
from intertwiner_gauge_mesh.layers.ambient import to_irreps
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

__all__ = ["angle_error", "quadric_principal", "report"]

COLUMNS = (
    "arm", "parameters", "relative error", "angle", "unseen meshes", "angle there", "turned frames",
)  # fmt: skip
_SPLITS = ("random", "remeshed")
_CLEAR = 0.25
"""Modulus of z above which a direction is scored."""
Pairs = tuple[Sequence[Tensor], Sequence[Tensor]]


def report(results: Sequence[ArmResult], folder: Path) -> Report:
    """Relative errors of z and mean angles between true and predicted directions, in degrees.

    folder: where `curves.png` and `curvature.png` are written.
    """
    arms = by_arm(results)
    first = load_run(results[0].folder)
    records = {split: test_records(first, split) for split in _SPLITS}
    scores = {arm: [_score(load_run(r.folder), records) for r in a] for arm, a in arms.items()}
    factor = _factor(first)
    classical = {
        name: _formula(records, scale)
        for name, scale in (("zero", 0.0), ("quadric", 1.0), ("shrunk quadric", factor))
    }
    pictures, missing = draw_both(
        results, folder, "curvature", lambda run, out: _draw(run, records["random"][0], out)
    )
    rows = [_row(arm, arms[arm], scores[arm], records["random"][0]) for arm in arms]
    rows += [(name, "0", *_texts([found]), "") for name, found in classical.items()]
    return Report(
        title="Directions of curvature from noisy meshes: relative error of z, angle in degrees",
        columns=COLUMNS,
        rows=tuple(rows),
        figures=tuple(_figures(arms, scores, classical)),
        pictures=tuple(pictures),
        notes=(*_remarks(first, scores, factor), *missing),
    )


Score = tuple[float, float, float, float]
"""Relative error and angle on unseen shapes, and the same on unseen meshes."""


def _score(run: Run, records: Mapping[str, Sequence[Data]]) -> Score:
    found: list[float] = []
    for split in _SPLITS:
        items = records[split]
        predicted = [item["principal"] for item in run.predict(items, batch_size=8)]
        found += _measured((predicted, [item.principal for item in items]))
    return found[0], found[1], found[2], found[3]


def _measured(pairs: Pairs) -> tuple[float, float]:
    return relative_error(*pairs), angle_error(*(torch.cat(list(side)) for side in pairs))


def angle_error(
    predicted: Float[Tensor, "vertices 5"], truth: Float[Tensor, "vertices 5"]
) -> float:
    """Mean angle between directions, in degrees up to 90, where the truth is clear.

    Tensors without trace in one plane are vectors of length sqrt 2 |z| at twice the angle.
    """
    clear = truth.norm(dim=1) > math.sqrt(2) * _CLEAR
    x, y = predicted[clear].double(), truth[clear].double()
    cosine = (x * y).sum(1) / (x.norm(dim=1) * y.norm(dim=1)).clamp(min=1e-12)
    return math.degrees(float((cosine.clamp(-1, 1).acos() / 2).mean()))


def quadric_principal(record: Data) -> Float[Tensor, "vertices 5"]:
    """The target as a quadric fitted to two rings has it."""
    plan = MeshPlan.from_mesh(record.pos, record.face)
    flat = tangential_deviator(quadric_shape_tensors(plan), plan.normal.double())
    return to_irreps(flat)[:, 1:]


def _factor(run: Run) -> float:
    """Fitted on some of the training shapes."""
    training = build_task(load_registry(), run.config).parts["train"]
    some = [training[index] for index in range(0, len(training), max(1, len(training) // 24))]
    return shrinking_factor((quadric_principal(r), r.principal.double()) for r in some)


def _formula(records: Mapping[str, Sequence[Data]], factor: float) -> Score:
    found: list[float] = []
    for split in _SPLITS:
        predicted = [factor * quadric_principal(record) for record in records[split]]
        found += _measured((predicted, [record.principal for record in records[split]]))
    return found[0], found[1], found[2], found[3]


def _texts(scores: Sequence[Score]) -> tuple[str, ...]:
    columns = zip(*scores, strict=True)
    pairs = zip(columns, (4, 2, 4, 2), strict=True)
    return tuple(shown(column, digits) for column, digits in pairs)


def _row(
    arm: str, found: Sequence[ArmResult], scores: Sequence[Score], record: Data
) -> tuple[str, ...]:
    error = gauge_error(load_run(found[0].folder), record, "principal")
    return arm, f"{found[0].parameters:,}", *_texts(scores), f"{error:.0e}"


def _figures(
    arms: Mapping[str, Sequence[ArmResult]],
    scores: Mapping[str, Sequence[Score]],
    classical: Mapping[str, Score],
) -> Iterator[Figure]:
    best = min(found[0] for name, found in classical.items() if "quadric" in name)
    names = ("relative error", "angle", "relative error, unseen meshes", "angle, unseen meshes")
    units = ("", "degrees", "", "degrees")
    for arm, found in scores.items():
        for name, unit, values in zip(names, units, zip(*found, strict=True), strict=True):
            goal = f"<= {best / 2:.3f}" if (arm, name) == ("moments", names[0]) else None
            yield figure(f"{arm}/{name}", values, unit, goal)
        yield Figure(f"{arm}/parameters", float(arms[arm][0].parameters))
    for formula, score in classical.items():
        for name, unit, value in zip(names, units, score, strict=True):
            yield Figure(f"{formula}/{name}", value, unit=unit)


def _remarks(run: Run, scores: Mapping[str, Sequence[Score]], factor: float) -> Iterator[str]:
    data = run.config.data_settings
    yield (
        f"Noise {data.noise:.0%} of the mean edge; trained on {data.training_shapes} shapes with "
        f"{data.copies} noisy copies each; angles where |z| > {_CLEAR}; the shrunk quadric is "
        f"multiplied by {factor:.3f}, fitted on training shapes."
    )
    yield from failures({arm: fmean(s[0] for s in found) for arm, found in scores.items()})


def _draw(run: Run, record: Data, out: Path) -> Path:
    from intertwiner_gauge_mesh.view.panels import draw_panels

    predicted = run.predict([record])[0]["principal"]
    return draw_panels(record, {"lines": (record.principal, predicted)}, out, title="curvature")
