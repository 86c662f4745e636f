"""All lines at once must see what one line at a time would."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intertwiner.errors import DataError
from intertwiner_atoms.readers import columns, text
from intertwiner_atoms.readers.columns import FixedLines, texts
from intertwiner_atoms.readers.pdb_text import check_coordinates

PATH = Path("a.pdb")
COORDINATE = re.compile(r" *-?\d+\.\d+ *", re.A)
FIELD = st.text(alphabet=" -.0123456789*n", min_size=8, max_size=8)
NUMBER = st.floats(-999, 9999).map(lambda x: f"{x:8.3f}")


@given(lines=st.lists(st.text(alphabet="ATOM 19é", max_size=12), max_size=6), ending=st.booleans())
def test_lines_are_those_of_the_text(lines: list[str], ending: bool) -> None:
    end = "\r\n" if ending else "\n"
    data = "".join(line + end for line in lines).encode("latin-1")
    found = FixedLines(PATH, data)
    assert [found.line(index) for index in range(len(found))] == lines
    assert found.begins(b"ATOM", b"19").tolist() == [
        line.startswith(("ATOM", "19")) for line in lines
    ]
    grid = texts(found.columns(np.arange(len(found)), 2, 10))
    assert grid.tolist() == [line.encode("latin-1")[2:10].ljust(8) for line in lines]


def test_a_last_line_without_end_and_old_line_ends_are_read() -> None:
    assert FixedLines(PATH, b"a\nb").line(1) == "b"
    assert FixedLines(PATH, b"a\rb\r").line(1) == "b"


@given(x=NUMBER | FIELD, y=NUMBER | FIELD)
def test_coordinates_pass_exactly_when_the_format_allows_them(x: str, y: str) -> None:
    line = f"ATOM      1  CA  ALA A   1    {x}{y}   1.000"
    allowed = all(COORDINATE.fullmatch(field) and field[4] == "." for field in (x, y))
    lines = FixedLines(PATH, line.encode())
    atoms = np.array([0])
    if allowed:
        check_coordinates(lines, atoms)
    else:
        with pytest.raises(DataError, match=r"a.pdb, line 1, atom 1 CA: (x|y)="):
            check_coordinates(lines, atoms)


@pytest.mark.fault("F21")
def test_a_line_without_end_and_a_file_of_line_ends_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(text, "MAX_LINE", 50)
    with pytest.raises(DataError, match="line 2: longer than 50 bytes"):
        FixedLines(PATH, b"a\n" + b" " * 51)
    monkeypatch.setattr(columns, "MAX_LINES", 5)
    with pytest.raises(DataError, match="more than 5 lines"):
        FixedLines(PATH, b"\n" * 6)
