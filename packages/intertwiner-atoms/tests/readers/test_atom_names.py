from __future__ import annotations

import pytest

from intertwiner_atoms.readers.atom_names import element_from_name


@pytest.mark.fault("F23")
@pytest.mark.parametrize(
    ("name", "residue", "z"),
    [
        (" CA ", "ALA", 6),
        ("CA  ", "ALA", 6),
        ("CA  ", "CA", 20),
        ("HG  ", "SER", 1),
        ("HG  ", "HG", 80),
        ("HG11", "VAL", 1),
        ("1HB ", "ALA", 1),
        ("CD1 ", "LEU", 6),
        ("NE  ", "ARG", 7),
        ("SE  ", "MSE", 34),
        ("OH2 ", "HOH", 8),
        ("ZN  ", "ZN", 30),
        ("ZN  ", "LIG", 30),
        ("FE  ", "HEM", 26),
        (" NA ", "HEM", 7),
        ("NA  ", "HEM", 7),
        ("NA  ", "NA", 11),
        ("CL1 ", "LIG", 17),
        ("BR12", "LIG", 35),
        ("C12 ", "LIG", 6),
        ("P   ", "DA", 15),
        ("D1  ", "DOD", 1),
        ("'5  ", "LIG", 0),
        ("    ", "LIG", 0),
    ],
)
def test_the_element_follows_from_the_name_and_the_residue(name: str, residue: str, z: int) -> None:
    assert element_from_name(name, residue) == z
