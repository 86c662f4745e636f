"""How elements look: symbol, covalent radius and colour.

Radii: Cordero et al., Dalton Trans. 2008, 2832. Colours: in the manner of Corey, Pauling and
Koltun, darkened where they would vanish on white.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Element", "element"]


@dataclass(frozen=True, slots=True)
class Element:
    """`radius`: covalent, in angstrom; `colour`: "#rrggbb"."""

    symbol: str
    radius: float
    colour: str


_ELEMENTS = {
    1: Element("H", 0.31, "#dcdcdc"),
    3: Element("Li", 1.28, "#b06ee8"),
    5: Element("B", 0.84, "#e8a088"),
    6: Element("C", 0.76, "#505050"),
    7: Element("N", 0.71, "#3050f8"),
    8: Element("O", 0.66, "#e81010"),
    9: Element("F", 0.57, "#50c040"),
    11: Element("Na", 1.66, "#a050e0"),
    12: Element("Mg", 1.41, "#60c000"),
    14: Element("Si", 1.11, "#d8b080"),
    15: Element("P", 1.07, "#ff8000"),
    16: Element("S", 1.05, "#e0c020"),
    17: Element("Cl", 1.02, "#18b018"),
    19: Element("K", 2.03, "#8040c0"),
    20: Element("Ca", 1.76, "#40b000"),
    25: Element("Mn", 1.39, "#9c7ac7"),
    26: Element("Fe", 1.32, "#e06633"),
    27: Element("Co", 1.26, "#e090a0"),
    28: Element("Ni", 1.24, "#50d050"),
    29: Element("Cu", 1.32, "#c88033"),
    30: Element("Zn", 1.22, "#7d80b0"),
    34: Element("Se", 1.20, "#e09000"),
    35: Element("Br", 1.20, "#a62929"),
    53: Element("I", 1.39, "#940094"),
}


def element(number: int) -> Element:
    """The element of atomic number `number`; one that is not in the table is pink."""
    return _ELEMENTS.get(number) or Element(f"Z={number}", 1.4, "#e060c0")
