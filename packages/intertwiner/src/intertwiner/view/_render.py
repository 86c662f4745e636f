"""Draws one scene with PyVista: `python -m intertwiner.view._render SCENE.json OUT.png|OUT.html`.

A process of its own, since a graphics library that does not fit the machine takes the whole
process with it. Nothing of this project but the standard library and PyVista is needed here.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

__all__ = ["main"]

DEPTH = 200.0


def main(arguments: Sequence[str]) -> int:
    spec, out = Path(arguments[0]), Path(arguments[1])
    scene = json.loads(spec.read_text("utf-8"))
    plotter = _plotter(scene)
    if out.suffix.lower() == ".html":
        plotter.export_html(out)
    else:
        plotter.screenshot(out)
    return 0


def _plotter(scene: dict[str, Any]) -> Any:
    import pyvista

    plotter = pyvista.Plotter(off_screen=True, window_size=scene["pixels"])
    plotter.set_background("white")
    look = {"smooth_shading": True, "specular": 0.25, "specular_power": 20, "ambient": 0.15}
    for mesh in (_balls(scene["balls"]), _sticks(scene["sticks"])):
        if mesh is not None:
            plotter.add_mesh(mesh, scalars="colour", rgb=True, **look)
    for arrow in scene["arrows"]:
        plotter.add_mesh(_arrow(arrow), color=arrow["colour"], ambient=0.45, smooth_shading=True)
    _look_down(plotter, scene["bounds"])
    plotter.enable_anti_aliasing("ssaa")
    return plotter


def _balls(balls: Sequence[dict[str, Any]]) -> Any:
    import pyvista

    points = pyvista.PolyData([ball["place"] for ball in balls])
    points["radius"] = [ball["radius"] for ball in balls]
    points["colour"] = _bytes([ball["colour"] for ball in balls])
    sphere = pyvista.Sphere(radius=1.0, theta_resolution=32, phi_resolution=32)
    return points.glyph(geom=sphere, scale="radius", orient=False)


def _sticks(sticks: Sequence[dict[str, Any]]) -> Any:
    import pyvista

    if not sticks:
        return None
    ends = [stick[end] for stick in sticks for end in ("start", "end")]
    lines = [number for first in range(0, len(ends), 2) for number in (2, first, first + 1)]
    mesh = pyvista.PolyData(ends, lines=lines)
    mesh["colour"] = _bytes([stick["colour"] for stick in sticks for _ in range(2)])
    return mesh.tube(radius=0.09, n_sides=24)


def _arrow(arrow: dict[str, Any]) -> Any:
    import pyvista

    direction = [b - a for a, b in zip(arrow["start"], arrow["end"], strict=True)]
    length = sum(step * step for step in direction) ** 0.5
    tip = min(5 * arrow["width"], 0.6 * length)
    return pyvista.Arrow(
        start=arrow["start"],
        direction=direction,
        scale=length,
        shaft_radius=arrow["width"] / length,
        tip_radius=2.2 * arrow["width"] / length,
        tip_length=tip / length,
        shaft_resolution=32,
        tip_resolution=48,
    )


def _bytes(colours: Sequence[str]) -> Any:
    import numpy as np

    return np.array([list(bytes.fromhex(colour[1:])) for colour in colours], dtype=np.uint8)


def _look_down(plotter: Any, bounds: Sequence[float]) -> None:
    """An eye far above the plane, without perspective, that sees exactly `bounds`."""
    left, right, bottom, top = bounds
    x, y = (left + right) / 2, (bottom + top) / 2
    plotter.enable_parallel_projection()
    plotter.camera_position = [(x, y, DEPTH), (x, y, 0.0), (0.0, 1.0, 0.0)]
    plotter.camera.parallel_scale = (top - bottom) / 2
    plotter.camera.clipping_range = (1.0, 2 * DEPTH)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
