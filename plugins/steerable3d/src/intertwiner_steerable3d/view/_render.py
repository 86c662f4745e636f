"""Draws isosurfaces with PyVista: `python -m intertwiner_steerable3d.view._render IN.npz OUT.png`.

A process of its own, since a graphics library that does not fit the machine takes the whole
process with it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

__all__ = ["main"]

PANEL: Final = 360
COLUMNS: Final = 4
SIGNS: Final = ((1.0, "#d55e00"), (-1.0, "#0072b2"))


def main(arguments: Sequence[str]) -> int:
    with np.load(arguments[0], allow_pickle=False) as stored:
        volumes, names, level = stored["volumes"], stored["names"], float(stored["level"])
    _plotter(volumes, [str(name) for name in names], level).screenshot(arguments[1])
    return 0


def _plotter(volumes: Any, names: Sequence[str], level: float) -> Any:
    import pyvista

    columns = min(COLUMNS, len(names))
    rows = -(-len(names) // columns)
    plotter = pyvista.Plotter(
        off_screen=True,
        shape=(rows, columns),
        window_size=(PANEL * columns, PANEL * rows),
        border=False,
    )
    for number, (volume, name) in enumerate(zip(volumes, names, strict=True)):
        plotter.subplot(number // columns, number % columns)
        plotter.set_background("white")
        _panel(plotter, volume, level)
        plotter.add_text(name, font_size=10, color="black")
    return plotter


def _panel(plotter: Any, volume: Any, level: float) -> None:
    """Where the volume is `level` of its largest value, and where it is minus that."""
    import pyvista

    grid = pyvista.ImageData(dimensions=volume.shape, origin=[-(n - 1) / 2 for n in volume.shape])
    grid.point_data["value"] = volume.flatten(order="F")
    height = level * float(np.abs(volume).max())
    for sign, colour in SIGNS:
        if height > 0 and float((sign * volume).max()) > height:
            surface = grid.contour([sign * height], scalars="value")
            plotter.add_mesh(surface, color=colour, smooth_shading=True, specular=0.3)
    plotter.add_mesh(grid.outline(), color="#999999")
    plotter.camera_position = "iso"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
