"""Target, prediction and error of a field on a mesh, side by side, seen from one side."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from torch import Tensor
from torch_geometric.data import Data

from intertwiner.atomic import write_atomically
from intertwiner.errors import DataError, RunError
from intertwiner_gauge_mesh.view.fields import Kind, Layer, difference, layer_of
from intertwiner_gauge_mesh.view.vtk_text import vtk_text

__all__ = ["draw_field", "draw_panels"]

_TIMEOUT: Final = 180.0
_TITLES: Final = ("target", "prediction", "error")


def draw_panels(
    record: Data, field: Mapping[Kind, tuple[Tensor, Tensor]], out: Path, *, title: str = ""
) -> Path:
    """Draws one field as `{kind: (target, prediction)}` in three linked panels into a PNG.

    Kinds are those of `layer_of`: "scalar", "arrows", "lines", "classes". Target and prediction
    share one range of colours; the camera looks along the direction of least extent.

    Without PyVista, or where it cannot draw, the fields are written to a `.vtk` file beside `out`
    for other programs, and `RunError` says so.
    """
    ((kind, pair),) = field.items()
    truth, predicted = (layer_of(kind, values, record.num_nodes) for values in pair)
    layers = dict(zip(_TITLES, (truth, predicted, difference(truth, predicted, pair)), strict=True))
    return _draw(record, layers, out, title)


def draw_field(record: Data, field: Mapping[Kind, Tensor], out: Path, *, title: str = "") -> Path:
    """Draws fields, a panel for each `{kind: values}`. See `draw_panels`."""
    layers = {str(kind): layer_of(kind, values, record.num_nodes) for kind, values in field.items()}
    return _draw(record, layers, out, title)


def _draw(record: Data, layers: Mapping[str, Layer], out: Path, title: str) -> Path:
    if out.suffix.lower() != ".png":
        raise DataError(f"{out}: pictures are PNG files")
    reason = _rendered(_scene(record, layers, title), out)
    if reason is None:
        return out
    fallback = out.with_suffix(".vtk")
    write_atomically(fallback, [vtk_text(record, layers)])
    raise RunError(f"{reason}; the fields were written to {fallback} for other programs")


def _scene(record: Data, layers: Mapping[str, Layer], title: str) -> dict[str, Any]:
    scene: dict[str, Any] = {
        "points": record.pos.detach().cpu().double().numpy(),
        "faces": record.face.T.cpu().numpy(),
        "title": np.array(title),
        "panels": np.array(list(layers)),
    }
    for name, layer in layers.items():
        scene[f"{name}/colour"] = layer.colour
        scene[f"{name}/style"] = np.array([layer.heads, layer.classes])
        if layer.vectors is not None:
            scene[f"{name}/vectors"] = layer.vectors
    return scene


def _rendered(scene: Mapping[str, Any], out: Path) -> str | None:
    """Draws in a process of its own, which a graphics library may end. None, or why it failed."""
    if importlib.util.find_spec("pyvista") is None:
        return "no picture without PyVista: install 'intertwiner-gauge-mesh[viz]'"
    with tempfile.TemporaryDirectory() as folder:
        spec, picture = Path(folder, "scene.npz"), Path(folder, "picture.png")
        np.savez(spec, **scene)
        command = [sys.executable, "-m", "intertwiner_gauge_mesh.view._render"]
        try:
            done = subprocess.run(
                [*command, str(spec), str(picture)],
                capture_output=True,
                timeout=_TIMEOUT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"no picture after {_TIMEOUT:g} s"
        if done.returncode or not picture.is_file():
            lines = done.stderr.decode(errors="replace").strip().splitlines() or ["no message"]
            return f"no picture: exit code {done.returncode}: {lines[-1]}"
        write_atomically(out, [picture.read_bytes()])
    return None
