"""Chemical symbols and atomic numbers; what is an atom and what is only a place."""

from __future__ import annotations

from typing import Final

from intertwiner.elements import SYMBOLS

__all__ = ["DUMMIES", "METALS", "SYMBOLS", "atomic_number", "is_dummy", "is_heavy_hydrogen"]

DUMMIES: Final = frozenset({"X", "XX", "DU", "LP", "BQ", "*", "R", "R#", "A", "Q", "EP", "0"})
"""Names, in capitals, that formats give to places which are not atoms."""

_NUMBERS: Final = {symbol: z for z, symbol in enumerate(SYMBOLS) if z}
_HEAVY_HYDROGEN: Final = frozenset({"D", "T"})
_NOT_METAL: Final = frozenset(
    {1, 2, 5, 6, 7, 8, 9, 10, 14, 15, 16, 17, 18, 32, 33, 34, 35, 36, 51, 52, 53, 54}
    | {85, 86, 117, 118}
)
METALS: Final = frozenset(range(1, len(SYMBOLS))) - _NOT_METAL
"""Atomic numbers of metals; metalloids (B, Si, Ge, As, Sb, Te) are not among them."""


def atomic_number(token: str) -> int | None:
    """The atomic number of a symbol in any case, or of a number written out; None when unknown.

    Deuterium and tritium are hydrogen.
    """
    if token.isascii() and token.isdigit():
        number = int(token) if len(token) <= 3 else 0
        return number if 0 < number < len(SYMBOLS) else None
    symbol = token.capitalize()
    return 1 if symbol in _HEAVY_HYDROGEN else _NUMBERS.get(symbol)


def is_dummy(token: str) -> bool:
    """Whether a file uses `token` for a place that is not an atom."""
    return token.upper() in DUMMIES


def is_heavy_hydrogen(token: str) -> bool:
    """Whether `token` is deuterium or tritium."""
    return token.capitalize() in _HEAVY_HYDROGEN
