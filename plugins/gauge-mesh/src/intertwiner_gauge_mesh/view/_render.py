"""Draws one scene with PyVista: `python -m intertwiner_gauge_mesh.view._render SCENE.npz OUT.png`.

A process of its own, since a graphics library that does not fit the machine takes the whole
process with it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

__all__ = ["main"]

_PANEL: Final = (560, 600)
_TOLERANCE: Final = 0.025
"""Arrows and lines nearer than this share of the mesh's size are left out."""
_ERROR: Final = "error"


def main(arguments: Sequence[str]) -> int:
    with np.load(arguments[0], allow_pickle=False) as stored:
        scene = {name: stored[name] for name in stored.files}
    plotter = _plotter(scene)
    plotter.screenshot(Path(arguments[1]))
    return 0


def _plotter(scene: dict[str, Any]) -> Any:
    import pyvista

    names = [str(name) for name in scene["panels"]]
    size = (_PANEL[0] * len(names), _PANEL[1])
    plotter = pyvista.Plotter(
        off_screen=True, shape=(1, len(names)), window_size=size, border=False
    )
    plotter.set_background("white")
    for column, name in enumerate(names):
        plotter.subplot(0, column)
        _panel(plotter, scene, name, _limits(scene, names, name))
        plotter.add_text(f"{scene['title']} {name}".strip(), font_size=11, color="black")
        plotter.enable_parallel_projection()
        plotter.camera_position = _view(scene["points"])
        plotter.reset_camera()
    plotter.link_views()
    plotter.enable_anti_aliasing("ssaa")
    return plotter


def _limits(scene: dict[str, Any], names: Sequence[str], name: str) -> tuple[float, float]:
    """One range of colours for all panels but the error, which starts at 0."""
    if name == _ERROR:
        return 0.0, max(float(scene[f"{name}/colour"].max()), 1e-12)
    shared = np.concatenate([scene[f"{other}/colour"] for other in names if other != _ERROR])
    low, high = float(shared.min()), float(shared.max())
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def _panel(plotter: Any, scene: dict[str, Any], name: str, limits: tuple[float, float]) -> None:
    import pyvista

    heads, classes = (bool(flag) for flag in scene[f"{name}/style"])
    faces = np.insert(scene["faces"], 0, 3, axis=1).ravel()
    mesh = pyvista.PolyData(scene["points"], faces)
    mesh["values"] = scene[f"{name}/colour"]
    vectors = scene.get(f"{name}/vectors")
    look: dict[str, Any] = {"smooth_shading": True, "specular": 0.2, "ambient": 0.2}
    # A bar is known by its title: one of blanks, of another length in every panel.
    blank = " " * (1 + list(scene["panels"]).index(name))
    bar = {"title": blank, "color": "black", "n_labels": 3, "fmt": "%.3g"}
    if classes:
        colours = ["#dddddd", "#c02020"] if name == _ERROR else "tab20"
        plotter.add_mesh(mesh, scalars="values", cmap=colours, show_scalar_bar=False, **look)
        return
    colours = "magma_r" if name == _ERROR else "viridis"
    plotter.add_mesh(mesh, scalars="values", cmap=colours, clim=limits, scalar_bar_args=bar, **look)
    if vectors is not None:
        glyphs = _glyphs(mesh, vectors, limits[1], heads=heads)
        plotter.add_mesh(glyphs, color="black", ambient=0.6)


def _glyphs(mesh: Any, vectors: Any, longest: float, *, heads: bool) -> Any:
    """Arrows, or bars that run both ways, the longest 1.5 steps of the glyphs."""
    import pyvista

    step = 2 * _TOLERANCE * float(mesh.length)
    normals = mesh.point_normals
    points = pyvista.PolyData(np.asarray(mesh.points) + 0.05 * step * normals)
    points["size"] = np.linalg.norm(vectors, axis=1) / max(longest, 1e-12)
    points["vectors"] = vectors
    bar = pyvista.Cylinder(
        center=(0, 0, 0), direction=(1, 0, 0), radius=0.05, height=1.0, resolution=8
    )
    shape = pyvista.Arrow(shaft_radius=0.06, tip_radius=0.15, tip_length=0.35) if heads else bar
    return points.glyph(
        orient="vectors", scale="size", factor=1.5 * step, geom=shape, tolerance=_TOLERANCE
    )


def _view(points: Any) -> list[Any]:
    """An eye along the direction of least extent, the widest to the right."""
    centre = points.mean(axis=0)
    axes = np.linalg.svd(points - centre, full_matrices=False)[2]
    eye = np.cross(axes[0], axes[1])
    distance = 4 * float(np.abs(points - centre).max())
    return [tuple(centre + distance * eye), tuple(centre), tuple(axes[1])]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
