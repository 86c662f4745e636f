"""Isosurfaces of volumes, one panel each: red where they are positive, blue where negative."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float
from torch import Tensor

from intertwiner.atomic import write_atomically
from intertwiner.errors import RunError
from intertwiner_steerable3d.errors import InvalidInput

__all__ = ["draw_volumes"]

TIMEOUT: Final = 120.0


def draw_volumes(
    volumes: Mapping[str, Float[Tensor, "x y z"]], out: Path, *, level: float = 0.4
) -> Path:
    """A panel for every volume, with the surfaces where it is plus and minus `level` of its
    largest value. All have one shape.

    Raises `InvalidInput` for volumes of other dimensions, `RunError` when nothing can be drawn.
    """
    shapes = {tuple(volume.shape) for volume in volumes.values()}
    if len(shapes) != 1 or len(next(iter(shapes))) != 3:
        raise InvalidInput(f"volumes of shapes {sorted(shapes)}: give some of one shape, x y z")
    if importlib.util.find_spec("pyvista") is None:
        raise RunError("drawing volumes needs pyvista; run: pip install 'intertwiner[viz]'")
    stack = np.stack([volume.detach().cpu().double().numpy() for volume in volumes.values()])
    with tempfile.TemporaryDirectory() as folder:
        scene, drawn = Path(folder, "scene.npz"), Path(folder, "drawn.png")
        np.savez(scene, volumes=stack, names=np.array(list(volumes)), level=np.array(level))
        _run([sys.executable, "-m", f"{__package__}._render", str(scene), str(drawn)])
        if not drawn.is_file():
            raise RunError("the process that draws ended without a picture")
        write_atomically(out, [drawn.read_bytes()])
    return out


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, timeout=TIMEOUT, check=False)
    except subprocess.TimeoutExpired as error:
        raise RunError(f"no picture after {TIMEOUT:g} s") from error
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines() or ["no message"]
        raise RunError(f"drawing ended with code {done.returncode}: {lines[-1]}")
