"""Has a scene drawn by a process of its own, whose end is not the end of this one."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from intertwiner.view._figure import DOTS_PER_INCH
from intertwiner.view._scene import Scene

__all__ = ["Unrendered", "render"]

TIMEOUT = 120.0


class Unrendered(Exception):
    """The process that draws in 3D gave no picture; the message says why."""


def render(scene: Scene, suffix: str = ".png") -> bytes:
    """The scene as drawn by PyVista in a process of its own: a PNG of `scene.bounds`, or HTML.

    Raises `Unrendered` when that process crashes, hangs, or draws nothing.
    """
    with tempfile.TemporaryDirectory() as folder:
        spec, out = Path(folder, "scene.json"), Path(folder, f"out{suffix}")
        record = asdict(scene) | {"bounds": scene.bounds, "pixels": _pixels(scene)}
        spec.write_text(json.dumps(record), "utf-8")
        command = [sys.executable, "-m", "intertwiner.view._render", str(spec), str(out)]
        _run(command)
        if not out.is_file():
            raise Unrendered("it ended without a picture")
        picture = out.read_bytes()
    if suffix == ".png" and _is_blank(picture):
        raise Unrendered("its picture is blank")
    return picture


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, timeout=TIMEOUT, check=False)
    except subprocess.TimeoutExpired as error:
        raise Unrendered(f"no picture after {TIMEOUT:g} s") from error
    if done.returncode < 0:
        raise Unrendered(f"ended by {signal.Signals(-done.returncode).name}")
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines() or ["no message"]
        raise Unrendered(f"exit code {done.returncode}: {lines[-1]}")


def _pixels(scene: Scene) -> tuple[int, int]:
    left, right, bottom, top = scene.bounds
    per_angstrom = scene.inches * DOTS_PER_INCH
    return round((right - left) * per_angstrom), round((top - bottom) * per_angstrom)


def _is_blank(picture: bytes) -> bool:
    from matplotlib.image import imread

    image = imread(io.BytesIO(picture), format="png")
    return float(image.std()) < 1e-3
