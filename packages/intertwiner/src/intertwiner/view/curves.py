"""Learning curves from `metrics.csv` files."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from intertwiner.errors import RunError
from intertwiner.view._extra import require
from intertwiner.view._figure import COLOURS, save

__all__ = ["draw_curves", "read_metrics"]

LOSSES = ("train/loss", "validation/loss")
_COLUMN = re.compile(r"(?P<name>[^\[]*?)\s*(?:\[(?P<unit>[^\]]*)\])?")
Curves = Mapping[str, Sequence[float]]


def draw_curves(
    runs: Mapping[str, Path], out: Path, *, columns: Sequence[str] | None = None
) -> Path:
    """Draws the metrics of `runs` over their epochs: losses together, a panel for each other one.

    runs: label -> `metrics.csv`. Labels of the form "arm/seed" share the colour of their arm.
    columns: the metrics to draw, with or without unit; by default the losses and every
    validation metric. An axis is logarithmic unless values are zero, negative or all alike.

    Raises `RunError` when a file is missing, empty or not numbers, when no run has a column
    asked for, and when matplotlib is not installed.
    """
    require("matplotlib")
    from matplotlib.figure import Figure

    read = {label: read_metrics(path) for label, path in runs.items()}
    panels = _panels(read, columns)
    figure = Figure(figsize=(0.8 + 4.4 * len(panels), 3.7), layout="constrained")
    colours = _colours(read)
    for axes, names in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        _draw_panel(axes, names, read, colours)
    _add_legend(figure, panels, colours, read)
    return save(figure, out)


def read_metrics(path: Path) -> dict[str, list[float]]:
    """Column -> values of one `metrics.csv`; an empty cell is NaN.

    Raises `RunError` naming file, row and column of what is not a number.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise RunError(f"{path}: no metrics can be read: {error}") from error
    if not rows or "epoch" not in rows[0]:
        raise RunError(f"{path}: no epoch is recorded in it yet; train at least one")
    return {
        name: [_number(path, row, name, line) for line, row in enumerate(rows, start=2)]
        for name in rows[0]
        if name is not None
    }


def _number(path: Path, row: Mapping[str, str | None], name: str, line: int) -> float:
    text = row[name] or "nan"
    try:
        return float(text)
    except ValueError as error:
        raise RunError(f"{path}: line {line}, column {name!r}: {text!r} is no number") from error


def _panels(read: Mapping[str, Curves], columns: Sequence[str] | None) -> list[tuple[str, ...]]:
    """The columns drawn together, panel by panel."""
    present = list(dict.fromkeys(name for curves in read.values() for name in curves))
    if columns is not None:
        return [(_find(name, present),) for name in columns]
    losses = tuple(name for name in LOSSES if name in present)
    others = [name for name in present if _is_metric(name)]
    panels = [losses] if losses else []
    if not panels and not others:
        raise RunError(f"no metric to draw; the columns are {', '.join(present) or 'none'}")
    return [*panels, *((name,) for name in others)]


def _is_metric(column: str) -> bool:
    """Whether a column is a validation metric, not a loss nor a standard error."""
    return (
        column.startswith("validation/")
        and column not in LOSSES
        and not _split(column)[0].endswith("/error")
    )


def _find(wanted: str, present: Sequence[str]) -> str:
    for name in present:
        if wanted in (name, _split(name)[0]):
            return name
    raise RunError(f"no run has the metric {wanted!r}; there are {', '.join(present)}")


def _split(column: str) -> tuple[str, str]:
    """Name and unit of a column such as "validation/dipole/mae [debye]"."""
    match = _COLUMN.fullmatch(column)
    return (match["name"], match["unit"] or "") if match else (column, "")


def _arm(label: str) -> str:
    return label.rpartition("/")[0] or label


def _colours(labels: Mapping[str, Any]) -> dict[str, str]:
    """Arm -> colour."""
    arms = dict.fromkeys(map(_arm, labels))
    return {arm: COLOURS[number % len(COLOURS)] for number, arm in enumerate(arms)}


def _draw_panel(
    axes: Any, names: Sequence[str], read: Mapping[str, Curves], colours: Mapping[str, str]
) -> None:
    drawn = []
    for label, curves in read.items():
        for name in names:
            if name in curves:
                style = ":" if name == "train/loss" and len(names) > 1 else "-"
                colour = colours[_arm(label)]
                marker = "o" if len(curves["epoch"]) == 1 else None
                axes.plot(curves["epoch"], curves[name], style, color=colour, marker=marker)
                drawn += [value for value in curves[name] if math.isfinite(value)]
    _scale(axes, drawn)
    name, unit = _split(names[-1])
    axes.set_xlabel("epoch")
    axes.set_ylabel(f"{_title(name, len(names))}{f' [{unit}]' if unit else ''}")
    axes.grid(True, which="both", color="#dddddd", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)


def _scale(axes: Any, drawn: Sequence[float]) -> None:
    """A logarithmic axis with ticks 1, 2, 5, ... where values are positive and far apart."""
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if not drawn or min(drawn) <= 0 or max(drawn) < 2 * min(drawn):
        return
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def _title(name: str, together: int) -> str:
    """The words for an axis: "validation dipole MAE"."""
    if together > 1:
        return "loss"
    steps = name.split("/")
    return " ".join(step.upper() if step in ("mae", "rmse") else step for step in steps)


def _add_legend(
    figure: Any,
    panels: Sequence[Sequence[str]],
    colours: Mapping[str, str],
    read: Mapping[str, Curves],
) -> None:
    from matplotlib.lines import Line2D

    seeds = {arm: sum(_arm(label) == arm for label in read) for arm in colours}
    handles = [
        Line2D([], [], color=colour, label=arm if seeds[arm] < 2 else f"{arm} ({seeds[arm]} seeds)")
        for arm, colour in colours.items()
    ]
    if any(len(names) > 1 for names in panels):
        styles = {"validation": "-", "training": ":"}
        handles += [Line2D([], [], color="#555555", ls=ls, label=k) for k, ls in styles.items()]
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles), frameon=False)
