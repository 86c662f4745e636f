"""LJ13: the path of one sample from the prior to a cluster, as a strip of film."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float
from torch import Tensor

from intertwiner_enflow.viz._figure import new_figure, save
from intertwiner_enflow.viz._raster import Array, Canvas, colour

__all__ = ["draw_film", "paint_balls"]

_PIXELS: Final = 110.0
_WARM: Final = "#d55e00"
_COLD: Final = "#0072b2"


def draw_film(
    frames: Float[Tensor, "times particles 3"],
    times: Sequence[float],
    out: Path,
    *,
    radius: float = 0.5,
) -> Path:
    """Draws the frames side by side, all from one side and at one scale.

    radius: of a particle; half the distance of the pair minimum. Colours follow the particles
    from the middle of the last frame outwards.
    """
    places = frames.double().cpu().numpy()
    last = places[-1]
    turn = np.linalg.svd(last, full_matrices=False)[2]
    outward = np.argsort(np.argsort(np.linalg.norm(last, axis=1))) / max(1, len(last) - 1)
    tints = [(1 - share) * colour(_WARM) + share * colour(_COLD) for share in outward]
    reach = float(np.linalg.norm(places, axis=-1).max()) + radius
    figure = new_figure(2.4 * len(places), 2.9)
    axes = np.atleast_1d(figure.subplots(1, len(places)))
    for ax, frame, time in zip(axes, places, times, strict=True):
        ax.imshow(paint_balls(frame @ turn.T, radius, tints, reach))
        ax.set_title(f"t = {time:g}")
        ax.axis("off")
    return save(figure, out)


def paint_balls(places: Array, radius: float, tints: Sequence[Array], reach: float) -> Array:
    """An image of balls within `reach` of the origin."""
    canvas = Canvas(2 * reach, 2 * reach, _PIXELS * 2.5 / reach, (-reach, reach))
    for place, tint in zip(places, tints, strict=True):
        canvas.ball(place, radius, tint)
    return canvas.picture()
