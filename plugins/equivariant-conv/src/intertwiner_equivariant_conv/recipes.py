"""The report of `angular-ablation`: a table of arms and controls, curves, and dipoles drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean, stdev

import torch
from torch_geometric.data import Data

from intertwiner.errors import RunError
from intertwiner.registry import load_registry
from intertwiner.training.recipes import ArmResult, Figure, Report
from intertwiner.training.reports import by_arm, over_seeds
from intertwiner.training.run import Run, load_run
from intertwiner.training.task import build_task
from intertwiner_equivariant_conv.layers.readout import DEBYE

__all__ = ["dipole_controls", "report"]

COMPONENT = "test/dipole/mae"
LENGTH = "test/dipole/length_mae"
COLUMNS = ("arm", "parameters", "MAE per component [D]", "MAE of the length [D]", "seconds")
DRAWN = 6
Arms = Mapping[str, Sequence[ArmResult]]


def report(results: Sequence[ArmResult], folder: Path) -> Report:
    """Table, figures and pictures of finished trainings; mean and standard deviation over seeds.

    folder: where `curves.png` and `dipoles.png` are written.
    """
    arms = by_arm(results)
    best = load_run(results[0].folder)
    records = _test_records(best)
    controls = dipole_controls(records)
    pictures, missing = _draw(results, best, records, folder)
    rows = [_row(name, found) for name, found in arms.items()]
    rows += [(name, "0", f"{value:.4f}", "", "") for name, value in controls.items()]
    return Report(
        title="Dipole moments of gfn2-small: what angular features bring at equal size",
        columns=COLUMNS,
        rows=tuple(rows),
        figures=tuple(_figures(arms, controls)),
        pictures=tuple(pictures),
        notes=(*_remarks(arms, controls), *missing),
    )


def dipole_controls(records: Sequence[Data]) -> dict[str, float]:
    """Mean absolute error per component, in debye, of two predictions without a model.

    Zero, and the moment of the labels' own point charges (which leaves out atomic dipoles).
    """
    zero, points = [], []
    for record in records:
        truth = record.dipole.double().reshape(3)
        centred = record.pos.double() - record.pos.double().mean(0)
        zero.append(truth.abs())
        points.append((DEBYE * record.charges.double() @ centred - truth).abs())
    named = {"control: zero vector": zero, "control: true GFN2 point charges": points}
    return {name: float(torch.cat(errors).mean()) for name, errors in named.items()}


def _test_records(run: Run) -> Sequence[Data]:
    """The run's test records with dipole and charges."""
    settings = replace(run.config.data_settings, targets=("dipole", "charges"))
    task = build_task(load_registry(), replace(run.config, data_settings=settings))
    return task.parts["test"]


def _over_seeds(found: Sequence[ArmResult], metric: str) -> tuple[float, float | None]:
    """(mean, standard deviation); None for a single seed."""
    return over_seeds(result.metrics[metric] for result in found)


def _row(name: str, found: Sequence[ArmResult]) -> tuple[str, ...]:
    errors = (_text(*_over_seeds(found, metric)) for metric in (COMPONENT, LENGTH))
    seconds = fmean(result.seconds for result in found)
    return (name, f"{found[0].parameters:,}", *errors, f"{seconds:.0f}")


def _text(mean: float, spread: float | None) -> str:
    return f"{mean:.4f}" if spread is None else f"{mean:.4f} ± {spread:.4f}"


def _figures(arms: Arms, controls: Mapping[str, float]) -> Iterable[Figure]:
    for name, found in arms.items():
        for metric in (COMPONENT, LENGTH):
            mean, spread = _over_seeds(found, metric)
            yield Figure(f"{name}/{metric}", mean, spread, len(found), "debye")
        yield Figure(f"{name}/parameters", float(found[0].parameters))
    for arm in arms:
        if arm != "lmax0-charge" and "lmax0-charge" in arms:
            yield _gain(arm, arms)
    for name, value in controls.items():
        yield Figure(name, value, unit="debye")


def _gain(arm: str, arms: Arms) -> Figure:
    """By how much the error falls from the arm without angular features, seed by seed."""
    without = {result.seed: result.metrics[COMPONENT] for result in arms["lmax0-charge"]}
    gains = [
        100.0 * (1.0 - result.metrics[COMPONENT] / without[result.seed])
        for result in arms[arm]
        if result.seed in without
    ]
    spread = stdev(gains) if len(gains) > 1 else None
    return Figure(
        f"{arm}/error removed against lmax0-charge", fmean(gains), spread, len(gains), "%"
    )


def _remarks(arms: Arms, controls: Mapping[str, float]) -> Iterable[str]:
    sizes = [found[0].parameters for found in arms.values()]
    mismatch = 100.0 * (max(sizes) / min(sizes) - 1.0)
    yield f"Parameters differ by at most {mismatch:.1f} %; depth and training are the same."
    yield (
        "A charge read-out takes directions from the positions; lmax1-charge against lmax0-charge "
        "is the effect of the features alone, lmax1-vector has another read-out too."
    )
    bar = min(controls.values())
    for name, found in arms.items():
        if _over_seeds(found, COMPONENT)[0] >= bar:
            yield f"{name}: NOT LEARNED, it does not beat the controls."


def _draw(
    results: Sequence[ArmResult], run: Run, records: Sequence[Data], folder: Path
) -> tuple[list[Path], list[str]]:
    """The pictures, and what could not be drawn and why."""
    pictures, missing = [], []
    drawings: tuple[Callable[[], Path], ...] = (
        lambda: _draw_curves(results, folder / "curves.png"),
        lambda: _draw_dipoles(run, records, folder / "dipoles.png"),
    )
    for draw in drawings:
        try:
            pictures.append(draw())
        except RunError as error:
            missing.append(f"A picture is left out: {error}")
    return pictures, missing


def _draw_curves(results: Sequence[ArmResult], out: Path) -> Path:
    from intertwiner.view.curves import draw_curves

    runs = {f"{result.arm}/{result.seed}": result.folder / "metrics.csv" for result in results}
    return draw_curves(runs, out)


def _draw_dipoles(run: Run, records: Sequence[Data], out: Path) -> Path:
    """True and predicted dipoles of molecules spread evenly over the test part."""
    from intertwiner.view.molecules import draw_molecules

    step = max(1, len(records) // DRAWN)
    chosen = [records[number] for number in range(0, len(records), step)][:DRAWN]
    vectors = {
        "true": [record.dipole for record in chosen],
        "predicted": [found["dipole"] for found in run.predict(chosen)],
    }
    return draw_molecules(chosen, out, vectors=vectors)
