"""Affinities in the units people write them in, as pK = -log10(K / M). No torch here."""

from __future__ import annotations

import math
from typing import Final

from intertwiner_atomic_conv.errors import InvalidInput

__all__ = ["KCAL_PER_PK", "KJ_PER_PK", "UNITS", "from_pk", "to_pk"]

KCAL_PER_PK: Final = 1.3643
"""RT ln 10 at 298.15 K in kcal/mol: dG = -KCAL_PER_PK pK."""
KJ_PER_PK: Final = KCAL_PER_PK * 4.184
_POWERS: Final = {"M": 0, "mM": 3, "uM": 6, "nM": 9, "pM": 12, "fM": 15}
UNITS: Final = ("pK", "kcal/mol", "kJ/mol", *_POWERS)
HIGHEST: Final = 20.0


def to_pk(value: float, unit: str, name: str = "value") -> float:
    """pK of a dissociation constant (a molarity), of a free energy, or of a pK.

    name: what it is the affinity of, for messages. Raises `InvalidInput` for an unknown unit, a
    value that is not finite, a molarity that is not positive, and a pK above 20.
    """
    if unit not in UNITS:
        raise InvalidInput(f"{name}: unit {unit!r}: unit required: one of {', '.join(UNITS)}")
    if not math.isfinite(value):
        raise InvalidInput(f"{name}: {value} {unit} is not finite")
    pk = _as_pk(value, unit, name)
    if abs(pk) > HIGHEST:
        raise InvalidInput(f"pK {pk:.4g} of {name}: wrong unit? It was read as {unit}")
    return pk


def _as_pk(value: float, unit: str, name: str) -> float:
    if unit == "pK":
        return value
    if unit == "kcal/mol":
        return -value / KCAL_PER_PK
    if unit == "kJ/mol":
        return -value / KJ_PER_PK
    if value <= 0:
        raise InvalidInput(f"{value:g}{unit} of {name}: must be positive")
    return _POWERS[unit] - math.log10(value)


def from_pk(pk: float, unit: str) -> float:
    """A pK in another of `UNITS`."""
    if unit == "pK":
        return pk
    if unit in ("kcal/mol", "kJ/mol"):
        return -pk * (KCAL_PER_PK if unit == "kcal/mol" else KJ_PER_PK)
    if unit not in UNITS:
        raise InvalidInput(f"unit {unit!r}: unit required: one of {', '.join(UNITS)}")
    power: float = 10.0 ** (_POWERS[unit] - pk)
    return power
