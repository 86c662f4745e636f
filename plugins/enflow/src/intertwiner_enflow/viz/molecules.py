"""Molecules as balls and sticks in a grid; atoms whose valence is wrong are ringed red."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from torch_geometric.data import Data

from intertwiner.errors import DataError
from intertwiner_enflow.molecules import bond_orders, stable_atoms
from intertwiner_enflow.viz._figure import new_figure, save
from intertwiner_enflow.viz._raster import Array, Canvas, colour

__all__ = ["COLOURS", "RADII", "draw_molecule_film", "draw_molecule_grid"]

COLOURS: Final = {
    1: "#e8e8e8",
    6: "#505050",
    7: "#3050f8",
    8: "#e81010",
    9: "#50c040",
    16: "#e0c020",
}
RADII: Final = {1: 0.23, 6: 0.36, 7: 0.34, 8: 0.33, 9: 0.31, 16: 0.45}
_RED: Final = "#ff0000"
_STICK: Final = 0.11
_MARGIN: Final = 0.7
_PIXELS: Final = 260.0


def draw_molecule_grid(
    groups: Mapping[str, Sequence[Data]], out: Path, *, count: int = 16, columns: int = 4
) -> Path:
    """Draws the first `count` molecules of every group, the groups side by side.

    groups: title -> records with `z` and `pos` (angstrom), such as generated and true ones.
    Raises `DataError` when a group is empty.
    """
    rows = -(-count // columns)
    figure = new_figure(1.7 * columns * len(groups), 1.85 * rows + 0.3)
    parts = np.atleast_1d(figure.subfigures(1, len(groups)))
    for part, (title, records) in zip(parts, groups.items(), strict=True):
        if not len(records):
            raise DataError(f"{title}: no molecules to draw")
        part.suptitle(title)
        axes = np.atleast_1d(part.subplots(rows, columns)).ravel()
        for ax in axes:
            ax.axis("off")
        for ax, number in zip(axes, range(min(count, len(records))), strict=False):
            ax.imshow(_paint(records[number]))
    return save(figure, out)


def draw_molecule_film(frames: Sequence[Data], times: Sequence[float], out: Path) -> Path:
    """Draws one molecule on its way, side by side, all from one side and at one scale.

    frames: records with `z` and `pos` (angstrom), elements as they are read at each of the times.
    """
    turn = _flat(_places(frames[-1]))
    reach = max(float(np.abs(_places(frame) @ turn.T).max()) for frame in frames) + _MARGIN
    figure = new_figure(2.2 * len(frames), 2.6)
    axes = np.atleast_1d(figure.subplots(1, len(frames)))
    for ax, frame, time in zip(axes, frames, times, strict=True):
        ax.imshow(_paint(frame, turn, reach))
        ax.set_title(f"t = {time:g}")
        ax.axis("off")
    return save(figure, out)


def _places(record: Data) -> Array:
    found: Array = (record.pos - record.pos.mean(dim=0)).double().numpy()
    return found


def _flat(places: Array) -> Array:
    """The rotation after which a molecule is seen along the direction it extends least in."""
    found: Array = np.linalg.svd(places, full_matrices=len(places) < 3)[2]
    return found


def _paint(record: Data, turn: Array | None = None, reach: float = 0.0) -> Array:
    """One molecule, turned, within `reach`; by itself from its flat side and as large as fits."""
    places = _places(record)
    places = places @ (_flat(places) if turn is None else turn).T
    reach = reach or float(np.abs(places[:, :2]).max()) + _MARGIN
    canvas = Canvas(2 * reach, 2 * reach, _PIXELS / (2 * reach), (-reach, reach))
    numbers = record.z.tolist()
    tints = [colour(COLOURS[number]) for number in numbers]
    orders = bond_orders(record.z, record.pos).triu()
    for first, second in orders.nonzero().tolist():
        _bond(canvas, places, tints, first, second, int(orders[first, second]))
    for place, number, tint in zip(places, numbers, tints, strict=True):
        canvas.ball(place, RADII[number], tint)
    for place, number, good in zip(
        places, numbers, stable_atoms(record.z, record.pos).tolist(), strict=True
    ):
        if not good:
            canvas.ring(place, RADII[number] + 0.12, 0.09, colour(_RED))
    return canvas.picture()


def _bond(
    canvas: Canvas, places: Array, tints: Sequence[Array], first: int, second: int, order: int
) -> None:
    """As many parallel sticks as the order, each in the colours of its two atoms."""
    start, end = places[first], places[second]
    side = np.array([start[1] - end[1], end[0] - start[0], 0.0])
    side /= max(float(np.linalg.norm(side)), 1e-9)
    middle = (start + end) / 2
    for number in range(order):
        shift = side * 0.2 * (number - (order - 1) / 2)
        width = _STICK if order == 1 else 0.6 * _STICK
        canvas.stick(start + shift, middle + shift, width, tints[first])
        canvas.stick(middle + shift, end + shift, width, tints[second])
