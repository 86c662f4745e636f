"""Every model and control on the same folds, several times over, in one table.

Figures are of the out-of-fold predictions of all complexes, one set for each shuffle of the
assignment of groups (or records) to folds; mean and standard deviation are over shuffles.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from intertwiner.atomic import write_atomically
from intertwiner_atomic_conv.evaluation import folds as schemes
from intertwiner_atomic_conv.evaluation.controls import Predict
from intertwiner_atomic_conv.evaluation.descriptors import Descriptors
from intertwiner_atomic_conv.evaluation.metrics import figures, group_bootstrap

__all__ = ["REFERENCE", "Comparison", "compare", "fold_of", "markdown", "verdicts"]

REFERENCE = "RF-Score v1 (forest)"
SIZE = "heavy-atom count"
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
    """figures: method -> one mapping of figures per shuffle; interval: of R, by groups, of the
    first shuffle; seconds: of fitting; split: name of the scheme."""

    split: str
    figures: dict[str, list[dict[str, float]]] = field(default_factory=dict)
    interval: dict[str, tuple[float, float]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def column(self, method: str, name: str) -> Table:
        return np.array([row[name] for row in self.figures[method]])

    def paired(self, method: str, name: str, other: str = REFERENCE) -> Table:
        """Differences to another method, shuffle by shuffle."""
        shared = min(len(self.figures[method]), len(self.figures[other]))
        return self.column(method, name)[:shared] - self.column(other, name)[:shared]

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
    say: Say = lambda line: None,
) -> Comparison:
    """Out-of-fold predictions of every method on every shuffle of the folds."""
    found = Comparison(split)
    for shuffle in shuffles:
        fold = fold_of(split, data, folds, shuffle)
        for name, predict in methods.items():
            started = time.process_time()
            predicted = np.empty(len(data.y))
            for number in range(folds):
                train, test = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
                predicted[test] = predict(data, train, test, shuffle)
            row = figures(predicted, data.y, data.group, data.size)
            found.figures.setdefault(name, []).append(row)
            if name not in found.interval:
                found.interval[name] = group_bootstrap(predicted, data.y, data.group)
            spent = time.process_time() - started
            found.seconds[name] = found.seconds.get(name, 0.0) + spent
            say(
                f"{split} {shuffle} {name}: R {row['R']:.3f}, RMSE {row['RMSE']:.3f} pK, "
                f"tau {row['within tau']:.3f} ({spent:.0f} s)"
            )
    return found


def markdown(found: Comparison, counts: str) -> str:
    """The table for people. counts: complexes, groups, and what was left out."""
    heads = ["method", *(head for _, head in COLUMNS), "95 % of R by proteins", "shuffles"]
    lines = [f"Split: {found.split}. {counts}", "", _row(heads), _row(["---"] * len(heads))]
    for name, rows in found.figures.items():
        cells = [_cell(found.column(name, key)) for key, _ in COLUMNS]
        low, high = found.interval[name]
        lines.append(_row([name, *cells, f"{low:.2f} to {high:.2f}", str(len(rows))]))
    return "\n".join(lines) + "\n"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _cell(values: Table) -> str:
    if len(values) < 2:
        return f"{values.mean():.3f}"
    return f"{values.mean():.3f} ± {values.std(ddof=1):.3f}"


def verdicts(found: Comparison, methods: Sequence[str]) -> list[str]:
    """In words: which of our models beat the size of the ligand and RF-Score, and which do not."""
    said = []
    for name in methods:
        if name not in found.figures:
            continue
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
