"""Element lists and radial grids of the presets. No torch here.

Lists and grids are those of the authors' experiments (arXiv:1703.10603 and its code); the
`dgl-*` presets are those of the DGL-LifeSci re-implementation.
"""

from __future__ import annotations

from typing import Final

__all__ = ["CORE_CUTOFFS", "CORE_TYPES", "REFINED_CUTOFFS", "REFINED_TYPES", "SCORING_CENTRES"]

CORE_TYPES: Final = (6, 7, 8, 9, 11, 12, 15, 16, 17, 20, 25, 30, 35, 53)
REFINED_TYPES: Final = (
    *(1, 6, 7, 8, 9, 11, 12, 15, 16, 17, 19, 20, 25, 26, 27, 28, 29, 30),
    *(34, 35, 38, 48, 53, 55, 80),
)
CORE_CUTOFFS: Final = tuple(1.5 + 0.5 * step for step in range(22))
"""angstrom: 1.5, 2.0, ... 12.0."""
REFINED_CUTOFFS: Final = (1.5, *(float(value) for value in range(2, 13)))
"""angstrom: 1.5, 2, 3, ... 12."""
SCORING_CENTRES: Final = tuple(round(2.4 + 0.4 * step, 1) for step in range(13))
"""angstrom: 2.4, 2.8, ... 7.2, for the smooth cross-interface graph."""
