"""The report of `faust`: exact correspondences, and what is left of them on turned scans."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean

from intertwiner.registry import load_registry
from intertwiner.training.recipes import ArmResult, Figure, Report
from intertwiner.training.run import Run, load_run
from intertwiner.training.task import build_task
from intertwiner_gauge_mesh.datasets.faust import archive_digest, faust_place
from intertwiner_gauge_mesh.recipes.results import by_arm, draw_all, draw_learning, figure, shown

__all__ = ["report"]

COLUMNS = ("arm", "parameters", "accuracy [%]", "accuracy on turned scans [%]", "seconds")
Score = tuple[float, float]


def report(results: Sequence[ArmResult], folder: Path) -> Report:
    """Share of vertices of the test scans whose vertex of the template is found exactly."""
    arms = by_arm(results)
    scores = {arm: [_score(load_run(r.folder)) for r in found] for arm, found in arms.items()}
    pictures, missing = draw_all({"curves": lambda: draw_learning(results, folder / "curves.png")})
    return Report(
        title="FAUST: exact correspondence of scans 80 to 99, vertices in random order",
        columns=COLUMNS,
        rows=tuple(_row(arm, arms[arm], scores[arm]) for arm in arms),
        figures=tuple(_figures(scores)),
        pictures=tuple(pictures),
        notes=(*_notes(load_run(results[0].folder)), *missing),
    )


def _score(run: Run) -> Score:
    found = []
    for rotate in (False, True):
        settings = replace(run.config.data_settings, rotate=rotate)
        task = build_task(load_registry(), replace(run.config, data_settings=settings))
        shares = []
        for record in task.parts["test"]:
            predicted = run.predict([record])[0]["correspondence"].argmax(dim=1)
            shares.append(float((predicted == record.correspondence).double().mean()))
        found.append(100 * fmean(shares))
    return found[0], found[1]


def _row(arm: str, found: Sequence[ArmResult], scores: Sequence[Score]) -> tuple[str, ...]:
    plain, turned = zip(*scores, strict=True)
    seconds = fmean(result.seconds for result in found)
    return arm, f"{found[0].parameters:,}", shown(plain, 2), shown(turned, 2), f"{seconds:.0f}"


def _figures(scores: Mapping[str, Sequence[Score]]) -> Iterator[Figure]:
    for arm, found in scores.items():
        plain, turned = zip(*found, strict=True)
        yield figure(f"{arm}/accuracy", plain, "%")
        yield figure(f"{arm}/accuracy on turned scans", turned, "%")


def _notes(run: Run) -> Iterator[str]:
    place = faust_place(run.config.data_settings)
    if place.is_file():
        yield f"{place.name}: SHA-256 {archive_digest(place)}"
    yield "xyz reads coordinates: it is not equivariant to rotations, matrix is."
