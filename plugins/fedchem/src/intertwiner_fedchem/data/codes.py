"""Atoms and bonds as whole numbers: mixed-radix codes of what the features say. No torch here.

Two atoms have equal features exactly when their codes are equal, so a molecule is a few small
arrays, equal atoms are found by comparing numbers, and the 74 and 13 columns are only made of the
distinct codes of a batch (`features`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

__all__ = [
    "ATOM_RADICES",
    "BOND_RADICES",
    "ELEMENTS",
    "SELF_LOOP",
    "atom_code",
    "bond_code",
    "from_zigzag",
]

_SYMBOLS: Final = (
    "C N O S F Si P Cl Br Mg Na Ca Fe As Al I B V K Tl Yb Sb Sn Ag Pd Co Se Ti Zn H Li Ge Cu Au Ni "
    "Cd In Mn Zr Cr Pt Hg Pb"
)
ELEMENTS: Final = tuple(_SYMBOLS.split())
"""The elements told apart, in the order of the columns; any other has no column."""

ATOM_RADICES: Final = (len(ELEMENTS) + 1, 12, 8, 64, 16, 6, 2, 6)
"""Element, degree 0-10, implicit valence 0-6, formal charge (zigzag), radical electrons,
hybridisation SP, SP2, SP3, SP3D, SP3D2, aromatic, hydrogens 0-4. The last value of a kind stands
for "none of these": a block of zeros."""

BOND_RADICES: Final = (5, 2, 2, 7)
"""Order single, double, triple, aromatic; conjugated; in a ring; stereo none, any, Z, E, cis,
trans."""

SELF_LOOP: Final = 140
"""The code of the edge from an atom to itself: one more than the largest bond code."""


def atom_code(digits: Sequence[int]) -> int:
    """The code of an atom from its digits, the first one fastest."""
    return _code(digits, ATOM_RADICES)


def bond_code(digits: Sequence[int]) -> int:
    """The code of a bond from its digits, the first one fastest."""
    return _code(digits, BOND_RADICES)


def _code(digits: Sequence[int], radices: Sequence[int]) -> int:
    code = 0
    for digit, radix in zip(reversed(digits), reversed(radices), strict=True):
        code = code * radix + digit
    return code


def from_zigzag(number: int) -> int:
    """0, 1, 2, 3, 4 ... as 0, 1, -1, 2, -2 ...: how a formal charge is kept."""
    return (number + 1) // 2 if number % 2 else -number // 2
