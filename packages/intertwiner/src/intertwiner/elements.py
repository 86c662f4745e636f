"""Chemical symbols, for messages and files."""

from __future__ import annotations

from typing import Final

__all__ = ["SYMBOLS", "element_name", "symbol"]

# fmt: off
SYMBOLS: Final = (
    "X", "H", "He",
    "Li", "Be", "B", "C", "N", "O", "F", "Ne",
    "Na", "Mg", "Al", "Si", "P", "S", "Cl", "Ar",
    "K", "Ca", "Sc", "Ti", "V", "Cr", "Mn", "Fe", "Co", "Ni", "Cu", "Zn", "Ga", "Ge", "As", "Se",
    "Br", "Kr",
    "Rb", "Sr", "Y", "Zr", "Nb", "Mo", "Tc", "Ru", "Rh", "Pd", "Ag", "Cd", "In", "Sn", "Sb",
    "Te", "I", "Xe",
    "Cs", "Ba", "La", "Ce", "Pr", "Nd", "Pm", "Sm", "Eu", "Gd", "Tb", "Dy", "Ho", "Er", "Tm",
    "Yb", "Lu",
    "Hf", "Ta", "W", "Re", "Os", "Ir", "Pt", "Au", "Hg", "Tl", "Pb", "Bi", "Po", "At", "Rn",
    "Fr", "Ra", "Ac", "Th", "Pa", "U", "Np", "Pu", "Am", "Cm", "Bk", "Cf", "Es", "Fm", "Md",
    "No", "Lr",
    "Rf", "Db", "Sg", "Bh", "Hs", "Mt", "Ds", "Rg", "Cn", "Nh", "Fl", "Mc", "Lv", "Ts", "Og",
)
# fmt: on
"""`SYMBOLS[z]` is the symbol of atomic number z; "X" is a particle that is no element."""


def symbol(number: int) -> str:
    """The symbol of atomic number `number`; "X" for a number that no element has."""
    return SYMBOLS[number] if 0 <= number < len(SYMBOLS) else SYMBOLS[0]


def element_name(number: int) -> str:
    """Symbol and number for messages, such as "Br (35)"; a number that no element has alone."""
    return f"{symbol(number)} ({number})" if 0 < number < len(SYMBOLS) else str(number)
