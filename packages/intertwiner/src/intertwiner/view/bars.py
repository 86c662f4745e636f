"""Grouped bars with error bars, such as what each arm of an experiment gains on each target."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from intertwiner.errors import RunError
from intertwiner.view._extra import require
from intertwiner.view._figure import COLOURS, LEGEND_SIZE, save

__all__ = ["Panels", "draw_bars"]

Panels = Mapping[str, Mapping[str, Mapping[str, tuple[float, float | None]]]]
"""Panel title -> series -> group -> (height, half length of the error bar or None)."""


def draw_bars(panels: Panels, out: Path, *, label: str) -> Path:
    """Draws a panel for each title, one below the other, groups side by side along the axis
    (their names broken at underscores).

    label: what the heights are, with unit. A series has the same colour in every panel; a bar
    that a series lacks is left out.

    Raises `RunError` when there is no bar at all and when matplotlib is not installed.
    """
    require("matplotlib")
    from matplotlib.figure import Figure

    drawn = [item for series in panels.values() for item in series.items()]
    names = list(dict.fromkeys(name for name, _ in drawn))
    groups = list(dict.fromkeys(group for _, bars in drawn for group in bars))
    if not groups:
        raise RunError("no bar to draw")
    width = max(6.0, 1.0 + 1.3 * len(groups))
    figure = Figure(figsize=(width, 0.8 + 2.9 * len(panels)), layout="constrained")
    rows = figure.subplots(len(panels), 1, squeeze=False, sharex=True)[:, 0]
    for axes, (title, series) in zip(rows, panels.items(), strict=True):
        for number, name in enumerate(names):
            place = (number - 0.5 * (len(names) - 1)) * 0.8 / len(names)
            _draw_series(axes, series.get(name, {}), groups, place, 0.8 / len(names), number)
        _finish(axes, title, groups, label)
    _add_legend(figure, names)
    return save(figure, out)


def _draw_series(
    axes: Any,
    bars: Mapping[str, tuple[float, float | None]],
    groups: list[str],
    place: float,
    width: float,
    number: int,
) -> None:
    centres = [groups.index(group) + place for group in bars]
    heights = [height for height, _ in bars.values()]
    errors = [error or 0.0 for _, error in bars.values()]
    colour = COLOURS[number % len(COLOURS)]
    axes.bar(centres, heights, width, yerr=errors, color=colour, ecolor="#333333", capsize=2)


def _finish(axes: Any, title: str, groups: list[str], label: str) -> None:
    axes.set_title(title, fontsize=10)
    axes.set_xticks(range(len(groups)), [group.replace("_", "\n") for group in groups])
    axes.set_ylabel(label)
    axes.axhline(0.0, color="#333333", linewidth=0.8)
    axes.grid(True, axis="y", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _add_legend(figure: Any, names: list[str]) -> None:
    from matplotlib.patches import Patch

    handles = [
        Patch(color=COLOURS[number % len(COLOURS)], label=name) for number, name in enumerate(names)
    ]
    figure.legend(
        handles=handles,
        loc="outside upper center",
        ncols=min(4, len(handles)),
        frameon=False,
        fontsize=LEGEND_SIZE,
    )
