from __future__ import annotations

import pytest

from intertwiner_atoms.elements import (
    METALS,
    SYMBOLS,
    atomic_number,
    is_dummy,
    is_heavy_hydrogen,
)


def test_every_symbol_in_any_case_gives_its_number() -> None:
    assert len(SYMBOLS) == 119
    for number, symbol in enumerate(SYMBOLS[1:], start=1):
        spellings = (symbol, symbol.upper(), symbol.lower(), str(number))
        assert {atomic_number(each) for each in spellings} == {number}


@pytest.mark.parametrize("token", ["Qq", "", "0", "119", "C1", "²", "-6", "0006", "9" * 5000])
def test_what_is_no_element_has_no_number(token: str) -> None:
    assert atomic_number(token) is None


def test_deuterium_and_tritium_are_hydrogen() -> None:
    assert atomic_number("D") == atomic_number("t") == 1
    assert is_heavy_hydrogen("d")
    assert not is_heavy_hydrogen("H")


def test_no_element_is_taken_for_a_dummy() -> None:
    assert [symbol for symbol in SYMBOLS[1:] if is_dummy(symbol)] == []
    assert all(is_dummy(token) for token in ("X", "Du", "Lp", "*", "R#"))


def test_metals_are_metals() -> None:
    symbols = {SYMBOLS[number] for number in METALS}
    assert {"Na", "Mg", "Ca", "Fe", "Zn", "Cu", "Mn", "Hg", "U"} <= symbols
    assert not symbols & {"H", "C", "N", "O", "F", "P", "S", "Cl", "Br", "I", "Se", "B", "Si", "Xe"}
