"""Balls and sticks drawn by hand into an image: no graphics library, no display.

Every ball and stick is shaded where it lies and written where it is nearest to the eye, which
looks along -z. Coordinates are in units of the scene; `Canvas.scale` pixels make one unit.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["Canvas", "colour"]

Array = NDArray[np.float64]
_LIGHT: Final = np.array([-0.35, 0.45, 0.82])
_AMBIENT: Final = 0.42
_SHINE: Final = 0.35
_FAR: Final = 0.55


def colour(text: str) -> Array:
    """ "#rrggbb" as three numbers from 0 to 1."""
    return np.array([int(text[place : place + 2], 16) / 255 for place in (1, 3, 5)])


class Canvas:
    """An image of `width` x `height` units about the origin, white, drawn `sharpness` times finer.

    depth: (back, front) of the scene; what lies far back is drawn paler.
    """

    def __init__(
        self,
        width: float,
        height: float,
        scale: float,
        depth: tuple[float, float],
        sharpness: int = 2,
    ) -> None:
        self.sharpness = sharpness
        self.scale = scale * sharpness
        rows, columns = (
            -(-round(size * self.scale) // sharpness) * sharpness for size in (height, width)
        )
        shape = (rows, columns)
        self.image = np.ones((*shape, 3))
        self._nearest = np.full(shape, -np.inf)
        self._depth = depth
        down, right = np.indices(shape, dtype=np.float64)
        self._x = (right - columns / 2 + 0.5) / self.scale
        self._y = (rows / 2 - down - 0.5) / self.scale

    def ball(self, place: Array, radius: float, tint: Array) -> None:
        """A sphere about `place`."""
        window = self._window(place[:2] - radius, place[:2] + radius)
        right, up = self._x[window] - place[0], self._y[window] - place[1]
        inside = radius**2 - right**2 - up**2
        front = np.sqrt(inside.clip(min=0.0))
        normal = np.stack([right, up, front], axis=-1) / radius
        self._paint(window, inside > 0, place[2] + front, normal, tint)

    def stick(self, start: Array, end: Array, radius: float, tint: Array) -> None:
        """A cylinder from `start` to `end`."""
        low, high = np.minimum(start, end)[:2] - radius, np.maximum(start, end)[:2] + radius
        window = self._window(low, high)
        axis = end - start
        flat = axis[:2]
        length = float(flat @ flat)
        if length < 1e-9:
            return
        right, up = self._x[window] - start[0], self._y[window] - start[1]
        along = (right * flat[0] + up * flat[1]) / length
        across = (up * flat[0] - right * flat[1]) / np.sqrt(length)
        inside = (np.abs(across) < radius) & (along >= 0) & (along <= 1)
        front = np.sqrt((radius**2 - across**2).clip(min=0.0))
        side = np.array([-flat[1], flat[0], 0.0]) / np.sqrt(length)
        normal = (across[..., None] * side + front[..., None] * np.array([0, 0, 1.0])) / radius
        self._paint(window, inside, start[2] + along * axis[2] + front, normal, tint)

    def ring(self, place: Array, radius: float, width: float, tint: Array) -> None:
        """A flat ring about `place`, in front of everything."""
        window = self._window(place[:2] - radius - width, place[:2] + radius + width)
        distance = np.hypot(self._x[window] - place[0], self._y[window] - place[1])
        drawn = np.abs(distance - radius) < width / 2
        self.image[window][drawn] = tint
        self._nearest[window][drawn] = np.inf

    def picture(self) -> Array:
        """The image `[rows, columns, 3]`, each pixel the mean of the finer ones."""
        rows, columns, _ = self.image.shape
        n = self.sharpness
        found: Array = self.image.reshape(rows // n, n, columns // n, n, 3).mean(axis=(1, 3))
        return found

    def _window(self, low: Array, high: Array) -> tuple[slice, slice]:
        rows, columns = self._nearest.shape
        left, right = (
            int(np.clip(value * self.scale + columns / 2 + edge, 0, columns))
            for value, edge in ((low[0], -1), (high[0], 2))
        )
        top, bottom = (
            int(np.clip(rows / 2 - value * self.scale + edge, 0, rows))
            for value, edge in ((high[1], -1), (low[1], 2))
        )
        return slice(top, bottom), slice(left, right)

    def _paint(
        self, window: tuple[slice, slice], inside: Array, z: Array, normal: Array, tint: Array
    ) -> None:
        seen = np.logical_and(inside, z > self._nearest[window])
        light = _LIGHT / np.linalg.norm(_LIGHT)
        lit = (normal @ light).clip(min=0.0)
        shine = _SHINE * lit[..., None] ** 24
        shaded = tint * (_AMBIENT + (1 - _AMBIENT) * lit)[..., None] + shine
        back, front = self._depth
        near = ((z - back) / max(front - back, 1e-9)).clip(0.0, 1.0)[..., None]
        faded = 1.0 - (_FAR + (1 - _FAR) * near) * (1.0 - shaded)
        self.image[window][seen] = faded.clip(0.0, 1.0)[seen]
        self._nearest[window][seen] = z[seen]
