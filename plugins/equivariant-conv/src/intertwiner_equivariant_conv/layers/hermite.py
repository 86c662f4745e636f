"""Polynomials on an interval that take given values and derivatives at both ends (Hermite)."""

from __future__ import annotations

import math
from typing import Final

__all__ = ["DEGREES", "HERMITE", "STEEPEST"]

DEGREES: Final = (3, 5)
"""Degrees of the polynomials: from V and V', or from V, V' and V''."""

HERMITE: Final[dict[int, tuple[tuple[float, ...], ...]]] = {
    3: ((1, 0, 0, 0), (0, 1, 0, 0), (-3, -2, 3, -1), (2, 1, -2, 1)),
    5: (
        (1, 0, 0, 0, 0, 0),
        (0, 1, 0, 0, 0, 0),
        (0, 0, 0.5, 0, 0, 0),
        (-10, -6, -1.5, 10, -4, 0.5),
        (15, 8, 1.5, -15, 7, -1),
        (-6, -3, -0.5, 6, -3, 0.5),
    ),
}
"""Row q: the coefficient of t^q from (V, h V', h^2 V'') at t = 0 and then at t = 1."""

STEEPEST: Final = {3: 0.5 - 0.5 / math.sqrt(3.0), 5: 0.5 - 0.5 / math.sqrt(5.0)}
"""Where the derivative of the remainder, t^2 (1-t)^2 or t^3 (1-t)^3, is largest."""
