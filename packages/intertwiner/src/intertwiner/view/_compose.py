"""From a scene to a finished figure: the 3D picture, or a flat drawing, with labels and legend."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from typing import Any

from intertwiner.view._elements import Element
from intertwiner.view._figure import LEGEND_SIZE
from intertwiner.view._scene import Ball, Scene, Stick

__all__ = ["compose"]

_ROW = 0.3
"""Height of a row of the legend, in inches."""
_NARROWEST = 5.0
"""Width in inches that the legend needs."""


def compose(
    scene: Scene,
    picture: bytes | None,
    colours: Mapping[str, str],
    unit: str,
    elements: Iterable[Element],
) -> Any:
    """A matplotlib figure of `scene`.

    picture: PNG of `scene.bounds`; without one, atoms and bonds are drawn flat, far ones first.
    colours: name of each vector -> colour; unit: of the vectors.
    """
    from matplotlib.figure import Figure

    left, right, bottom, top = scene.bounds
    strip = 2 * _ROW + 0.1
    width, height = (right - left) * scene.inches, (top - bottom) * scene.inches + strip
    whole = max(width, _NARROWEST)
    figure = Figure(figsize=(whole, height))
    beside = (whole - width) / 2 / whole
    axes = figure.add_axes((beside, strip / height, width / whole, 1 - strip / height))
    axes.set_axis_off()
    if picture is None:
        _draw_flat(axes, scene)
    else:
        _show(axes, picture, scene)
    axes.set(xlim=(left, right), ylim=(bottom, top))
    _write_labels(axes, scene)
    _write_legends(figure, scene, colours, unit, elements, height)
    return figure


def _show(axes: Any, picture: bytes, scene: Scene) -> None:
    from matplotlib.image import imread

    axes.imshow(imread(io.BytesIO(picture), format="png"), extent=scene.bounds, aspect="auto")


def _draw_flat(axes: Any, scene: Scene) -> None:
    from matplotlib.patches import FancyArrow

    items: list[Ball | Stick] = [*scene.balls, *scene.sticks]
    for item in sorted(items, key=_depth):
        _draw_item(axes, item, 72 * scene.inches)
    for arrow in scene.arrows:
        (x, y, _), (tip_x, tip_y, _) = arrow.start, arrow.end
        shape = FancyArrow(
            x,
            y,
            tip_x - x,
            tip_y - y,
            width=2 * arrow.width,
            head_width=4.4 * arrow.width,
            head_length=min(5 * arrow.width, ((tip_x - x) ** 2 + (tip_y - y) ** 2) ** 0.5),
            length_includes_head=True,
            color=arrow.colour,
            zorder=3,
        )
        axes.add_patch(shape)


def _depth(item: Ball | Stick) -> float:
    if isinstance(item, Ball):
        return item.place[2]
    return min(item.start[2], item.end[2]) - 1e-3


def _draw_item(axes: Any, item: Ball | Stick, points: float) -> None:
    """points: size of an angstrom."""
    from matplotlib.patches import Circle

    if isinstance(item, Ball):
        place = item.place[:2]
        axes.add_patch(Circle(place, item.radius, fc=item.colour, ec="#333333", lw=0.7, zorder=2))
        return
    (x, y, _), (end_x, end_y, _) = item.start, item.end
    for extra, colour in ((1.4, "#333333"), (0.0, item.colour)):
        width = 0.18 * points + extra
        axes.plot((x, end_x), (y, end_y), color=colour, lw=width, solid_capstyle="butt", zorder=2)


def _write_labels(axes: Any, scene: Scene) -> None:
    room = 72 * scene.width * scene.inches * 0.94
    for label, values, x, y in scene.labels:
        below = y - 13 / 72 / scene.inches
        for text, height, most, colour in ((label, y, 9, "black"), (values, below, 8, "#555555")):
            size = max(5.0, min(most, room / (0.6 * max(1, len(text)))))
            fitting = int(room / (0.6 * size))
            shown = text if len(text) <= fitting else text[: fitting - 1] + "…"
            axes.text(x, height, shown, size=size, color=colour, ha="center", va="top", zorder=4)


def _write_legends(
    figure: Any,
    scene: Scene,
    colours: Mapping[str, str],
    unit: str,
    elements: Iterable[Element],
    height: float,
) -> None:
    from matplotlib.lines import Line2D

    dots = [
        Line2D([], [], ls="", marker="o", mfc=e.colour, mec="#333333", mew=0.6, label=e.symbol)
        for e in elements
    ]
    arrows = [Line2D([], [], color=c, lw=2.5, label=name) for name, c in colours.items()]
    units = f"1 Å = {scene.scale:g} {unit}" if colours else "1 Å"
    bar = Line2D([], [], color="black", lw=1.5, label=units)
    for number, handles in enumerate((dots, [*arrows, bar])):
        figure.legend(
            handles=handles,
            loc="lower center",
            bbox_to_anchor=(0.5, (number * _ROW + 0.05) / height),
            ncols=len(handles),
            fontsize=LEGEND_SIZE,
            handlelength=72 * scene.inches / LEGEND_SIZE if number else 1.0,
            columnspacing=1.4,
            borderpad=0,
            frameon=False,
        )
