"""The report of `interaction-recovery`: fits, curves over the true ones, and the size control."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch_geometric.data import Data

from intertwiner.errors import RunError
from intertwiner.registry import load_registry
from intertwiner.training.recipes import ArmResult, Figure, Report
from intertwiner.training.run import load_run
from intertwiner.training.task import build_task
from intertwiner_atomic_conv.affinity import KCAL_PER_PK
from intertwiner_atomic_conv.curves import PairValues, isolated_curve, values_of
from intertwiner_atomic_conv.datasets.pair_energy import ELEMENTS, pair_energy
from intertwiner_atomic_conv.model import AtomicConvNetwork
from intertwiner_atomic_conv.pair_picture import draw_pairs

__all__ = ["Recovery", "recover", "report", "size_control"]

SHORTEST, STEP = 2.4, 0.02
"""angstrom: of the curves."""
SHOWN = 40
"""Test records whose pairs are read off."""
Values = NDArray[np.float64]
Curves = Mapping[tuple[int, int], Values]


@dataclass(frozen=True, slots=True)
class Recovery:
    """held_out: R^2 of predictions against labels without noise. curve, context: R^2 over pairs
    of the isolated curve and of single pairs in context; shuffled: of the isolated curves against
    those of other element pairs. wells: rms error of N-O pairs near their well, kcal/mol."""

    held_out: float
    rmse: float
    curve: float
    context: float
    shuffled: float
    wells: float


def report(results: Sequence[ArmResult], folder: Path) -> Report:
    """Table and figures of finished trainings, and `pairs.png` of the first arm."""
    found = [(result, *recover(result)) for result in results]
    control = size_control(results[0])
    pictures, notes = [], [f"Heavy-atom count alone: R^2 {control:.3f} of the same test labels."]
    try:
        pictures.append(draw_pairs(found[0][2], found[0][3], folder / "pairs.png"))
    except RunError as error:
        notes.append(f"The picture is left out: {error}")
    arms = {
        result.arm: [r for other, r, *_ in found if other.arm == result.arm] for result in results
    }
    return Report(
        title="Generated pockets: the learned interaction over the true one",
        columns=(
            *("arm", "parameters", "R^2 held out", "RMSE [pK]", "R^2 of curves"),
            *("R^2 in context", "R^2, pairs shuffled", "N-O wells, rms [kcal/mol]"),
        ),
        rows=tuple(_row(arm, results, rows) for arm, rows in arms.items()),
        figures=(*_figures(arms), Figure("heavy-atom count/R2", control)),
        pictures=tuple(pictures),
        notes=tuple(notes),
    )


def recover(result: ArmResult) -> tuple[Recovery, Curves, PairValues]:
    """What one trained network has recovered, its isolated curves, and pairs in context."""
    run = load_run(result.folder)
    network = cast(AtomicConvNetwork, run.model)
    records = list(build_task(load_registry(), run.config).parts["test"])
    predicted = np.array([float(row["pK"]) for row in run.predict(records)])
    truth = np.array([float(record.pK_true) for record in records])
    pairs = values_of(network, records[:SHOWN])
    curves = {
        (a, b): -KCAL_PER_PK * isolated_curve(network, a, b, _grid()).double().numpy()
        for a in ELEMENTS
        for b in ELEMENTS
    }
    return _recovery(predicted, truth, pairs, curves), curves, pairs


def _grid() -> torch.Tensor:
    return torch.arange(SHORTEST, 8.0, STEP)


def _recovery(predicted: Values, truth: Values, pairs: PairValues, curves: Curves) -> Recovery:
    place = {z: number for number, z in enumerate(ELEMENTS)}
    a = np.array([place[z] for z in pairs.ligand.tolist()])
    b = np.array([place[z] for z in pairs.protein.tolist()])
    r = pairs.distance.double().numpy()
    inside = r < 7.0
    true = np.where(inside, pair_energy(r, a, b), 0.0)
    learned = _at(curves, a, b, r)
    other = _at(curves, (a + 1) % 4, (b + 2) % 4, r)
    context = -KCAL_PER_PK * pairs.value.double().numpy()
    polar = np.isin(a, (1, 2)) & np.isin(b, (1, 2)) & (a != b) & (r < 4.0)
    return Recovery(
        held_out=_r2(predicted, truth),
        rmse=float(np.sqrt(((predicted - truth) ** 2).mean())),
        curve=_r2(learned, true),
        context=_r2(context, true),
        shuffled=_r2(other, true),
        wells=float(np.sqrt(((learned - true)[polar] ** 2).mean())) if polar.any() else np.nan,
    )


def _at(curves: Curves, a: NDArray[np.int64], b: NDArray[np.int64], r: Values) -> Values:
    """The curves of pairs of elements at distances r."""
    grid = _grid().double().numpy()
    out = np.zeros(len(r))
    for (first, second), values in curves.items():
        chosen = (np.take(ELEMENTS, a) == first) & (np.take(ELEMENTS, b) == second)
        out[chosen] = np.interp(r[chosen], grid, values)
    return out


def _r2(predicted: Values, truth: Values) -> float:
    return 1 - float(((predicted - truth) ** 2).sum() / ((truth - truth.mean()) ** 2).sum())


def size_control(result: ArmResult) -> float:
    """R^2 of a straight line through the number of the ligand's atoms, on the test part."""
    parts = build_task(load_registry(), load_run(result.folder).config).parts

    def columns(records: Sequence[Data], label: str) -> tuple[Values, Values]:
        size = [float((record.part == 1).sum()) for record in records]
        return np.array(size), np.array([float(record[label]) for record in records])

    slope, offset = np.polyfit(*columns(parts["train"], "pK"), 1)
    size, truth = columns(parts["test"], "pK_true")
    return _r2(slope * size + offset, truth)


FIGURES = (
    ("held_out", "held-out R2", "", ">= 0.97 at 400 training complexes, >= 0.98 at 1,200"),
    ("rmse", "held-out RMSE", "pK", None),
    ("curve", "R2 of curves", "", ">= 0.85 at 400 training complexes, >= 0.93 at 1,200"),
    ("context", "R2 of pairs in context", "", None),
    ("shuffled", "R2 of curves, element pairs shuffled", "", "< 0.5"),
    ("wells", "N-O wells", "kcal/mol", None),
)


def _figures(arms: Mapping[str, Sequence[Recovery]]) -> Iterator[Figure]:
    for arm, rows in arms.items():
        for name, title, unit, required in FIGURES:
            values = [getattr(row, name) for row in rows]
            spread = stdev(values) if len(values) > 1 else None
            asked = required if arm == "cross-linear" else None
            yield Figure(f"{arm}/{title}", fmean(values), spread, len(values), unit, required=asked)


def _row(arm: str, results: Sequence[ArmResult], rows: Sequence[Recovery]) -> tuple[str, ...]:
    parameters = next(result.parameters for result in results if result.arm == arm)
    means = (fmean(getattr(row, name) for row in rows) for name, *_ in FIGURES)
    return (arm, f"{parameters:,}", *(f"{value:.3f}" for value in means))
