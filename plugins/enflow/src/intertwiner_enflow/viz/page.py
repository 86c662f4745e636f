"""One page to turn about: samples along the flow's time, in a file that needs no network."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from pathlib import Path

from jaxtyping import Float, Int
from torch import Tensor

from intertwiner.atomic import write_atomically
from intertwiner.errors import DataError
from intertwiner_enflow.viz.molecules import COLOURS, RADII

__all__ = ["write_page"]

_PLAIN = "#d55e00"


def write_page(
    paths: Sequence[Float[Tensor, "times atoms 3"]],
    times: Sequence[float],
    out: Path,
    *,
    elements: Sequence[Int[Tensor, " atoms"]] | None = None,
    title: str = "samples along the flow",
) -> Path:
    """Writes the frames of every path as an HTML page: drag to turn, slide over the time.

    paths: one for every sample, frames at `times`. elements: atomic numbers of every sample;
    particles are all alike without.
    Raises `DataError` when a path has not a frame for every time, or there is none.
    """
    if not paths:
        raise DataError("no paths to show: give at least one sample")
    for number, path in enumerate(paths):
        if len(path) != len(times):
            raise DataError(f"path {number} has {len(path)} frames for {len(times)} times")
    samples = [
        _sample(path, None if elements is None else elements[number])
        for number, path in enumerate(paths)
    ]
    data = json.dumps({"times": list(times), "samples": samples})
    page = (files("intertwiner_enflow") / "viz" / "page.html").read_text("utf-8")
    page = page.replace("{{title}}", escape(title)).replace("{{data}}", data.replace("</", "<\\/"))
    write_atomically(out, [page.encode()])
    return out


def _sample(path: Tensor, elements: Tensor | None) -> dict[str, object]:
    numbers = [0] * path.shape[1] if elements is None else elements.tolist()
    places = path - path.mean(dim=1, keepdim=True)
    return {
        "frames": [
            [[round(value, 3) for value in row] for row in frame] for frame in places.tolist()
        ],
        "colours": [COLOURS.get(number, _PLAIN) for number in numbers],
        "radii": [RADII.get(number, 0.4) for number in numbers],
    }
