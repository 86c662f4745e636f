"""Bonds from distances: the published table of lengths, with its margins.

The table and the margins of 10, 5 and 3 pm are those of E(n) Equivariant Normalizing Flows
(arXiv:2105.09016) and the generators after it; the bonds of sulphur and the double bond of O and
S (143 pm) are additions. Orders are whole numbers: there is no aromatic bond of order 1.5.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from intertwiner.errors import DataError

__all__ = [
    "DOUBLE",
    "ELEMENTS",
    "MARGINS",
    "SINGLE",
    "SYMBOLS",
    "TRIPLE",
    "VALENCES",
    "bond_orders",
    "thresholds",
]

SYMBOLS: Final[dict[int, str]] = {1: "H", 6: "C", 7: "N", 8: "O", 9: "F", 16: "S"}
ELEMENTS: Final[dict[str, int]] = {symbol: number for number, symbol in SYMBOLS.items()}
VALENCES: Final[dict[int, tuple[int, ...]]] = {
    1: (1,),
    6: (4,),
    7: (3,),
    8: (2,),
    9: (1,),
    16: (2, 4, 6),
}
"""Element -> total bond orders of a stable neutral atom."""

SINGLE: Final[dict[str, int]] = {
    **{"HH": 74, "HC": 109, "HN": 101, "HO": 96, "HF": 92, "HS": 134},
    **{"CC": 154, "CN": 147, "CO": 143, "CF": 135, "CS": 182},
    **{"NN": 145, "NO": 140, "NF": 136, "NS": 168},
    **{"OO": 148, "OF": 142, "OS": 151, "FF": 142, "FS": 158, "SS": 204},
}
"""Lengths in pm of single bonds; those of double and triple bonds follow."""
DOUBLE: Final[dict[str, int]] = {
    **{"CC": 134, "CN": 129, "CO": 120, "CS": 160},
    **{"NN": 125, "NO": 121, "OO": 121, "OS": 143},
}
TRIPLE: Final[dict[str, int]] = {"CC": 120, "CN": 116, "CO": 113, "NN": 110}
MARGINS: Final = (10, 5, 3)
"""pm by which a single, double, triple bond may be longer; a bond is strictly shorter than that."""


@lru_cache
def thresholds() -> Float[Tensor, "orders elements elements"]:
    """In angstrom: two atoms closer than `[k, z1, z2]` have a bond of order k + 1 at least."""
    found = torch.zeros(3, max(SYMBOLS) + 1, max(SYMBOLS) + 1, dtype=torch.float64)
    for order, (lengths, margin) in enumerate(zip((SINGLE, DOUBLE, TRIPLE), MARGINS, strict=True)):
        for pair, length in lengths.items():
            first, second = ELEMENTS[pair[0]], ELEMENTS[pair[1]]
            found[order, first, second] = found[order, second, first] = (length + margin) / 100
    return found


def bond_orders(
    z: Int[Tensor, " atoms"], pos: Float[Tensor, "atoms 3"]
) -> Int[Tensor, "atoms atoms"]:
    """The order 0 to 3 of the bond of every two atoms, symmetric; positions in angstrom.

    Raises `DataError` naming atom and element for one that is not in the table.
    """
    _check_elements(z)
    distance = torch.cdist(pos.double(), pos.double(), compute_mode="donot_use_mm_for_euclid_dist")
    distance.fill_diagonal_(torch.inf)
    limits = thresholds()[:, z[:, None], z[None, :]]
    return (distance < limits).long().cumprod(dim=0).sum(dim=0)


def _check_elements(z: Int[Tensor, " atoms"]) -> None:
    for atom, number in enumerate(z.tolist()):
        if number not in SYMBOLS:
            known = ", ".join(f"{symbol} ({key})" for key, symbol in SYMBOLS.items())
            raise DataError(f"atom {atom} is element {number}; the table of bonds has {known}")
