"""The report of `qm9-positional`: likelihood, and distances against those of true molecules."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Final

from intertwiner.registry import load_registry
from intertwiner.training.recipes import ArmResult, Figure, Report
from intertwiner.training.run import load_run
from intertwiner.training.task import build_task
from intertwiner_enflow.molecules import distance_divergence
from intertwiner_enflow.recipes.tables import by_arm, shown

__all__ = ["report"]

COLUMNS: Final = ("arm", "NLL [nat]", "JS of distances [nat]", "parameters", "seconds")
_SAMPLES: Final = 500
_NLL: Final = "test/nll"


def report(results: Sequence[ArmResult], folder: Path) -> Report:
    """The mean NLL on test molecules, and the divergence of pair distances of 500 samples."""
    rows, figures = [], []
    for arm, found in by_arm(results).items():
        likelihood = [_nll(result) for result in found]
        divergence = [_divergence(result) for result in found]
        seconds = fmean(result.seconds for result in found)
        rows.append(
            (
                arm,
                shown(likelihood, 2),
                shown(divergence, 4),
                f"{found[0].parameters:,}",
                f"{seconds:.0f}",
            )
        )
        figures.append(Figure(f"{arm}/NLL", fmean(likelihood), None, len(found), "nat"))
        figures.append(Figure(f"{arm}/JS of distances", fmean(divergence), None, len(found), "nat"))
    return Report(
        title="Positions of molecules of one size",
        columns=COLUMNS,
        rows=tuple(rows),
        figures=tuple(figures),
        notes=("Elements are left out: the atoms are all alike to the flow.",),
    )


def _nll(result: ArmResult) -> float:
    return next(value for name, value in result.metrics.items() if name.startswith(_NLL))


def _divergence(result: ArmResult) -> float:
    run = load_run(result.folder)
    true = list(build_task(load_registry(), run.config).parts["test"])
    return distance_divergence(run.sample(_SAMPLES, seed=result.seed), true)
