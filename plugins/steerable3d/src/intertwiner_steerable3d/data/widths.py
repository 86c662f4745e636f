"""Numbers that declarations and data share. No torch here."""

from __future__ import annotations

from typing import Final

__all__ = ["CELLS", "COUNTS", "ELEMENT_COUNT", "SHELLS"]

SHELLS: Final = 12
"""Of one angstrom, about C-alpha and about the virtual C-beta."""

CELLS: Final = 6
"""Along each axis of the residue's frame, 4 angstrom wide, about the virtual C-beta."""

ELEMENT_COUNT: Final = 4

COUNTS: Final = ELEMENT_COUNT * (2 * SHELLS + CELLS**3)
"""Cheap features of an environment."""
