"""What the names of atoms and residues tell where a file does not say it in so many words."""

from __future__ import annotations

from typing import Final

from intertwiner_atoms.elements import atomic_number

__all__ = ["HEAVY_ATOMS", "NUCLEOTIDES", "WATERS", "element_from_name"]

WATERS: Final = frozenset(
    b"HOH DOD WAT H2O OH2 SOL SPC TIP TIP3 TIP4 TIP5 TP3 TP4 TP5 T3P T4P TP3M HO4".split()
)
"""Names that crystallographers and simulation programs give to water."""

HEAVY_ATOMS: Final = {
    name: count
    for count, names in (
        (4, "GLY"),
        (5, "ALA"),
        (6, "SER CYS CYX CYM"),
        (7, "THR VAL PRO"),
        (8, "ASN ASP ASH ILE LEU MET MSE"),
        (9, "GLN GLU GLH LYS LYN"),
        (10, "HIS HID HIE HIP HSD HSE HSP"),
        (11, "PHE ARG"),
        (12, "TYR"),
        (14, "TRP"),
    )
    for name in names.split()
}
"""Heavy atoms of an amino acid inside a chain (IUPAC names and those of simulation programs)."""

NUCLEOTIDES: Final = frozenset(
    "A C G U I DA DC DG DT DU DI RA RC RG RU ADE CYT GUA THY URA".split()  # noqa: SIM905
)
_CAPS: Final = frozenset(["ACE", "NME", "NMA", "NH2", "FOR"])
_POLYMER: Final = HEAVY_ATOMS.keys() | NUCLEOTIDES | _CAPS | {w.decode() for w in WATERS}
_TWO_LETTERS: Final = frozenset(["CL", "BR", "FE", "SE", "CU", "NI", "SI"])
"""Symbols read as such in a ligand although their first letter is an element too."""


def element_from_name(name: str, residue: str) -> int:
    """The atomic number that a PDB atom name of four characters stands for; 0 when it tells none.

    The symbol ends in column 14 by the format; programs that begin every name in column 13 are
    told apart by the residue: `CA` is calcium in residue CA only, `CL1` chlorine in a ligand.
    """
    if not name[:1].isalpha():
        stripped = name.lstrip(" 0123456789'\"*")
        return atomic_number(stripped[:1]) or 0
    first, two = name[:1].upper(), name[:2].upper()
    symbol = two if two.isalpha() and _is_two_letters(two, name, residue) else first
    return atomic_number(symbol) or 0


def _is_two_letters(two: str, name: str, residue: str) -> bool:
    if atomic_number(two) is None:
        return False
    letters = "".join(filter(str.isalpha, name)).upper()
    if residue in _POLYMER:
        return two == "SE" and residue == "MSE"
    agrees = letters == "".join(filter(str.isalpha, residue)).upper() and letters == two
    return agrees or two in _TWO_LETTERS or atomic_number(two[0]) is None
