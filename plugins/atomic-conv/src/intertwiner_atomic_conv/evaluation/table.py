"""Every model and control on the same folds, several times over, in one table.

Figures are of the out-of-fold predictions of all complexes, one set for each shuffle of the
assignment of groups (or records) to folds; mean and standard deviation are over shuffles.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from intertwiner.atomic import write_atomically
from intertwiner_atomic_conv.evaluation import folds as schemes
from intertwiner_atomic_conv.evaluation.controls import Predict
from intertwiner_atomic_conv.evaluation.descriptors import Descriptors
from intertwiner_atomic_conv.evaluation.metrics import figures, group_bootstrap, spearman
from intertwiner_atomic_conv.evaluation.predictions import Predictions, PredictionStore

__all__ = ["ELSEWHERE", "REFERENCE", "Comparison", "compare", "fold_of", "markdown", "verdicts"]

REFERENCE = "RF-Score v1 (forest)"
SIZE = "heavy-atom count"
ELSEWHERE = ", in another protein's pocket"
"""What the name of a method ends with that predicts every ligand there."""
COLUMNS = (
    ("R", "R"),
    ("rho", "rho"),
    ("RMSE", "RMSE [pK]"),
    ("MAE", "MAE [pK]"),
    ("R2", "R squared"),
    ("determination", "1 - SSE/SST"),
    ("within tau", "tau within proteins"),
    ("within tau beyond size", "tau beyond size"),
)
Table = NDArray[np.float64]
Numbers = NDArray[np.int64]
Say = Callable[[str], None]


@dataclass(slots=True)
class Comparison:
    """figures: method -> one mapping of figures per shuffle; values: their predictions; interval:
    of R, by groups, of the first shuffle; seconds: CPU time of all shuffles; split: the scheme;
    left: (shuffle, method) for which there was no time."""

    split: str
    figures: dict[str, list[dict[str, float]]] = field(default_factory=dict)
    values: dict[str, list[Table]] = field(default_factory=dict)
    interval: dict[str, tuple[float, float]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    left: list[tuple[int, str]] = field(default_factory=list)

    def column(self, method: str, name: str) -> Table:
        return np.array([row[name] for row in self.figures[method]])

    def paired(self, method: str, name: str, other: str = REFERENCE) -> Table:
        """Differences to another method, shuffle by shuffle."""
        shared = min(len(self.figures[method]), len(self.figures[other]))
        return self.column(method, name)[:shared] - self.column(other, name)[:shared]

    def likeness(self, method: str, other: str) -> float:
        """Mean rank correlation of the predictions of two methods."""
        pairs = zip(self.values[method], self.values[other], strict=False)
        return float(np.mean([spearman(a, b) for a, b in pairs]))

    def add(self, found: Predictions, data: Descriptors) -> dict[str, float]:
        """Figures of some predictions, which are kept."""
        values, name = np.array(found.values), found.method
        row = figures(values, data.y, data.group, data.size)
        self.figures.setdefault(name, []).append(row)
        self.values.setdefault(name, []).append(values)
        if name not in self.interval:
            self.interval[name] = group_bootstrap(values, data.y, data.group)
        self.seconds[name] = self.seconds.get(name, 0.0) + found.seconds
        return row

    def __or__(self, other: Comparison) -> Comparison:
        """Both together, which are of different methods."""
        return Comparison(
            self.split,
            self.figures | other.figures,
            self.values | other.values,
            self.interval | other.interval,
            self.seconds | other.seconds,
            self.left + other.left,
        )

    def write(self, path: Path) -> None:
        """All figures as JSON."""
        content = {"split": self.split, "figures": self.figures, "seconds": self.seconds}
        write_atomically(path, [json.dumps(content, indent=1).encode()])


def fold_of(split: str, data: Descriptors, folds: int, shuffle: int) -> Numbers:
    """The fold of every complex: "target" (groups whole), "random" or "scaffold"."""
    if split == "target":
        return schemes.grouped(data.group, folds, shuffle)
    if split == "scaffold":
        labels = schemes.murcko_scaffolds(data.smiles)
        return schemes.grouped(np.unique(labels, return_inverse=True)[1], folds, shuffle)
    return schemes.random(len(data.y), folds, shuffle)


def compare(
    data: Descriptors,
    methods: Mapping[str, Predict],
    split: str,
    shuffles: Sequence[int],
    *,
    folds: int = 5,
    store: PredictionStore | None = None,
    stop_at: float = math.inf,
    say: Say = lambda line: None,
) -> Comparison:
    """Out-of-fold predictions of every method on every shuffle of the folds.

    store: where predictions are kept, and found again. stop_at: CPU seconds of the process after
    which no other method is begun.
    """
    found, store = Comparison(split), store or PredictionStore()
    for shuffle in shuffles:
        fold = fold_of(split, data, folds, shuffle)
        for name, predict in methods.items():
            made = store.get(split, shuffle, name, len(data.y))
            if made is None and time.process_time() > stop_at:
                found.left.append((shuffle, name))
                continue
            if made is None:
                made = _predictions(data, predict, fold, Predictions(split, shuffle, name, (), 0.0))
                store.put(made)
            row = found.add(made, data)
            say(
                f"{split} {shuffle} {name}: R {row['R']:.3f}, RMSE {row['RMSE']:.3f} pK, "
                f"tau {row['within tau']:.3f} ({made.seconds:.0f} s)"
            )
    return found


def _predictions(
    data: Descriptors, predict: Predict, fold: Numbers, of: Predictions
) -> Predictions:
    started, values = time.process_time(), np.empty(len(data.y))
    for number in range(int(fold.max()) + 1):
        train, test = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        values[test] = predict(data, train, test, of.shuffle)
    return replace(of, values=tuple(values.tolist()), seconds=time.process_time() - started)


def markdown(found: Comparison, counts: str) -> str:
    """The table for people. counts: complexes, groups, and what was left out."""
    heads = [
        *("method", *(head for _, head in COLUMNS), "95 % of R by proteins"),
        *("shuffles", "CPU s a shuffle"),
    ]
    lines = [f"Split: {found.split}. {counts}", "", _row(heads), _row(["---"] * len(heads))]
    for name, rows in found.figures.items():
        cells = [_cell(found.column(name, key)) for key, _ in COLUMNS]
        low, high = found.interval[name]
        spent = found.seconds[name] / len(rows)
        last = f"{low:.2f} to {high:.2f}", str(len(rows)), f"{spent:.0f}"
        lines.append(_row([name, *cells, *last]))
    return "\n".join(lines) + "\n"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _cell(values: Table) -> str:
    if len(values) < 2:
        return f"{values.mean():.3f}"
    return f"{values.mean():.3f} ± {values.std(ddof=1):.3f}"


def verdicts(found: Comparison, methods: Sequence[str]) -> list[str]:
    """In words: which of our models beat the size of the ligand and RF-Score, and which do not."""
    said = [f"no time for {name} on shuffle {shuffle}: run again" for shuffle, name in found.left]
    for name in methods:
        if name not in found.figures:
            continue
        other = name + ELSEWHERE
        if other in found.figures:
            rho = found.likeness(name, other)
            said.append(f"{name}: rank correlation of own and other pockets' {rho:.2f}")
        if SIZE in found.figures:
            better = found.paired(name, "R", SIZE).mean() > 0
            closer = found.paired(name, "RMSE", SIZE).mean() < 0
            if not (better and closer):
                said.append(f"{name}: not better than ligand size")
        if REFERENCE in found.figures and name != REFERENCE:
            r, error = found.paired(name, "R"), found.paired(name, "RMSE")
            shown = ", ".join(f"{a:+.3f}/{b:+.3f}" for a, b in zip(r, error, strict=True))
            said.append(
                f"{name} less {REFERENCE}, R/RMSE per shuffle: {shown}; "
                f"mean {r.mean():+.3f}/{error.mean():+.3f}"
            )
    return said
