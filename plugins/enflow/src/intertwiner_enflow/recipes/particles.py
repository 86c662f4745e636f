"""The report of `dw4` and `lj13`: nats from the truth, of every arm and of the controls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any, Final

import torch
from torch import Tensor

from intertwiner.training.recipes import ArmResult, Figure, Report
from intertwiner.training.run import Run, load_run
from intertwiner_enflow.datasets.particles import tensors
from intertwiner_enflow.evaluation.density import DensityReport, evaluate_density
from intertwiner_enflow.recipes.tables import by_arm, drawn, shown, spread
from intertwiner_enflow.studies.distance import control_distances
from intertwiner_enflow.targets import DoubleWell, Target, target_named
from intertwiner_enflow.viz import draw_double_well, draw_film, write_page

__all__ = ["report"]

COLUMNS: Final = (
    *("arm", "KL(p|q) [nat]", "ESS", "ln Z by importance", "NLL [nat]", "KL(q|p) [nat]"),
    "seconds",
)
_SAMPLES: Final = 1_000
_TIMES: Final = (1.0, 0.75, 0.5, 0.25, 0.0)
_SIGMAS: Final = 10.0
_REQUIRED: Final = {"dw4": "<= 0.28", "lj13-half": "<= 0.40", "lj13-double": "<= 1.6"}
"""KL(p|q) in nats asked of our arm after five minutes of one processor."""


@dataclass(frozen=True, slots=True)
class _Measured:
    result: ArmResult
    report: DensityReport


def report(results: Sequence[ArmResult], folder: Path) -> Report:
    """Measures every trained flow on the test samples with exact divergence.

    folder: where the pictures are written.
    """
    first = load_run(results[0].folder)
    target, parts = _target_and_parts(first)
    measured = {
        arm: [_measure(result, target, parts["test"]) for result in found]
        for arm, found in by_arm(results).items()
    }
    controls = control_distances(target, parts)
    pictures, missing = drawn([partial(_draw, first, target, parts["test"], folder)])
    floor = target.floor()
    rows = [_row(arm, found) for arm, found in measured.items()]
    rows += [
        (f"control: {name}", f"{kl.value:.3f}", "", "", f"{kl.value + floor.value:.3f}", "", "")
        for name, kl in controls.items()
    ]
    rows.append(("floor: the target's entropy", "0", "1", "", f"{floor.value:.3f}", "", ""))
    return Report(
        title=f"{target.name}: distance to the truth in nats",
        columns=COLUMNS,
        rows=tuple(rows),
        figures=tuple(_figures(target, measured)),
        pictures=tuple(pictures),
        notes=(*_remarks(target, measured, controls["fitted Gaussian"].value), *missing),
    )


def _target_and_parts(run: Run) -> tuple[Target, Mapping[str, Tensor]]:
    settings = run.config.data_settings
    name = run.config.dataset.partition("/")[2]
    target = target_named(name, getattr(settings, "pair", None))
    return target, tensors(target, settings)


def _measure(result: ArmResult, target: Target, test: Tensor) -> _Measured:
    model: Any = load_run(result.folder).model
    torch.manual_seed(result.seed)
    flow = _Sized(model.flow, target.particles)
    return _Measured(result, evaluate_density(flow, target, test, samples=_SAMPLES))


class _Sized:
    """A flow of any number of particles, asked for one."""

    def __init__(self, flow: Any, particles: int) -> None:
        self._flow, self._particles = flow, particles
        self.convention = flow.convention

    def log_prob(self, x: Tensor, divergence: str = "exact") -> Tensor:
        found: Tensor = self._flow.log_prob(x, divergence)
        return found

    def sample(self, n: int, *, return_log_prob: bool = True) -> tuple[Tensor, Tensor | None]:
        found: tuple[Tensor, Tensor | None] = self._flow.sample(
            n, particles=self._particles, return_log_prob=return_log_prob
        )
        return found


def _row(arm: str, found: Sequence[_Measured]) -> tuple[str, ...]:
    reports = [one.report for one in found]
    return (
        arm,
        shown([one.kl.value for one in reports]),
        shown([one.ess for one in reports]),
        shown([one.log_z.value for one in reports]),
        shown([one.nll.value for one in reports]),
        shown([one.reverse_kl.value for one in reports], 2),
        f"{fmean(one.result.seconds for one in found):.0f}",
    )


def _figures(target: Target, measured: Mapping[str, Sequence[_Measured]]) -> Iterable[Figure]:
    for arm, found in measured.items():
        for name, unit, values in (
            ("KL(p|q)", "nat", [one.report.kl.value for one in found]),
            ("ESS", "1", [one.report.ess for one in found]),
            ("ln Z", "nat", [one.report.log_z.value for one in found]),
            ("NLL", "nat", [one.report.nll.value for one in found]),
        ):
            asked = _REQUIRED.get(target.name) if (arm, name) == ("fast", "KL(p|q)") else None
            yield Figure(
                f"{arm}/{name}", fmean(values), spread(values), len(found), unit, required=asked
            )


def _remarks(
    target: Target, measured: Mapping[str, Sequence[_Measured]], gaussian: float
) -> Iterable[str]:
    assert target.log_z is not None
    yield (
        f"KL by the paired estimator on test samples of another generator seed; ln Z is "
        f"{target.log_z.value:.3f} ± {target.log_z.error:.3f} ({target.log_z.source})."
    )
    for arm, found in measured.items():
        kl = fmean(one.report.kl.value for one in found)
        error = max(one.report.kl.error for one in found)
        if kl > gaussian - _SIGMAS * error:
            yield f"{arm}: NOT LEARNED, it does not beat the fitted Gaussian."
        if not all(one.report.reliable for one in found):
            yield f"{arm}: ESS is unreliable, importance sampling misses ln Z or <U>."


def _draw(run: Run, target: Target, test: Tensor, folder: Path) -> Path:
    """DW4: samples beside true ones; clusters: the path of one sample."""
    flow: Any = _Sized(run.model.flow, target.particles)
    torch.manual_seed(0)
    if isinstance(target, DoubleWell):
        x, log_q = flow.sample(_SAMPLES)
        weights = torch.softmax(-target.energy(x.double()) - log_q.double(), 0)
        return draw_double_well(test[:_SAMPLES], x, weights, folder / "samples.png")
    whole: Any = run.model.flow
    z = whole.sample_prior(1, target.particles)
    frames = whole.path(z, _TIMES)[:, 0] * whole.scale
    write_page([frames], _TIMES, folder / "film.html", title=f"{target.name}: path of a sample")
    return draw_film(frames, _TIMES, folder / "film.png")
