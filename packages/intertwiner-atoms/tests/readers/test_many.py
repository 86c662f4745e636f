"""Many structure files at once, and what becomes of those that cannot be read."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from io import StringIO
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from intertwiner.errors import DataError, RunError
from intertwiner_atoms import read_many
from intertwiner_atoms.config import ReadConfig
from intertwiner_atoms.readers import parallel
from intertwiner_atoms.readers.mol2 import Mol2Reader
from intertwiner_atoms.readers.parallel import spread
from intertwiner_atoms.readers.sdf import SdfReader
from intertwiner_atoms.readers.spans import lines_of, spans

Write = Callable[[str, str], Path]
BLOCK = (
    "{0}\n" + " " * 20 + "3D\n\n  1  0  0  0  0  0  0  0  0  0999 V2000\n"
    "    {0}.0000    0.0000    0.0000 C   0  0\nM  END\n> <x>\n1\n\n$$$$\n"
)
MOL2 = (
    "# a comment\n@<TRIPOS>MOLECULE\n{0}\n 1 0 0 0 0\nSMALL\nNO_CHARGES\n\n@<TRIPOS>ATOM\n"
    " 1 C1 {0}.0 0.0 0.0 C.1 1 LIG 0.0\n"
)
XYZ = "1\n\nC {0} 0 0\n"


@pytest.mark.parametrize("workers", [1, 2])
def test_files_of_a_folder_are_read_in_order_and_bad_ones_told(
    tmp_path: Path, write: Write, workers: int
) -> None:
    write("a.xyz", XYZ.format(1))
    write("b.sdf", BLOCK.format(2) + BLOCK.format("x") + BLOCK.format(3))
    write("c.pdb", "<html>")
    write("d.mol2", MOL2.format(4))
    write("notes.txt", "not a structure")
    collection = read_many(tmp_path, workers=workers)
    assert [float(record.pos[0, 0]) for record in collection] == [1, 2, 3, 4]
    assert [failure.name for failure in collection.failures] == ["b.sdf", "c.pdb"]
    assert "record 2 (x)" in collection.failures[0].reason
    assert collection.summary() == "4 of 6 read; 2 failed"


def test_a_missing_file_is_a_failure_and_a_missing_folder_an_error(tmp_path: Path) -> None:
    collection = read_many([tmp_path / "none.sdf"])
    assert "none.sdf" in collection.failures[0].reason
    with pytest.raises(DataError, match="none of 1 could be read"):
        collection.or_error(tmp_path)
    with pytest.raises(DataError, match="no structure files"):
        read_many(tmp_path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(count=st.integers(1, 10), piece=st.integers(1, 900), mol2=st.booleans(), cut=st.booleans())
def test_pieces_of_a_file_hold_its_records_and_lines(
    tmp_path: Path, count: int, piece: int, mol2: bool, cut: bool
) -> None:
    reader = (Mol2Reader if mol2 else SdfReader)(ReadConfig())
    path = tmp_path / f"a{'.mol2' if mol2 else '.sdf'}"
    text = "".join((MOL2 if mol2 else BLOCK).format(n) for n in range(count))
    path.write_text(text.removesuffix("$$$$\n") if cut else text)
    pieces = spans(path, reader, piece)
    assert (pieces[0].begin, pieces[-1].end) == (0, path.stat().st_size)
    lines = [line for span in pieces for line in lines_of(path, span, 1 << 20)]
    assert lines == list(enumerate(path.read_text().splitlines(), start=1))
    names = []
    for span in pieces:
        for found in reader.each(path, lines_of(path, span, 1 << 20), span.record):
            assert isinstance(found, tuple)
            names.append((found[0].raw.name, found[0].raw.where))
    assert names == [(str(n), f"record {n + 1} ({n})") for n in range(count)]


def test_many_processes_give_what_one_gives(
    tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("intertwiner_atoms.readers.spans.PIECE", 500)
    path = write("many.sdf", "".join(BLOCK.format(n % 10) for n in range(20)))
    one, two = read_many(path), read_many(path, workers=2)
    assert len(two) == 20
    for first, second in zip(one, two, strict=True):
        assert first.name == second.name
        assert torch.equal(first.pos, second.pos)


@pytest.mark.fault("F21")
def test_a_process_that_dies_loses_its_own_task_only() -> None:
    tasks = ["1 + 1", "__import__('os')._exit(3)", "2 + 2", "3 + 3"]
    assert list(spread(eval, tasks, workers=2)) == [2, None, 4, 6]


def test_processes_that_cannot_start_are_told_how(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "PROBE", partial(os._exit, 1))
    with pytest.raises(RunError, match="__main__"):
        list(spread(os._exit, [1, 1], workers=2))


def test_a_bar_is_drawn_where_someone_is_watching(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(StringIO):
        def isatty(self) -> bool:
            return True

    seen = {}
    for watched, progress in ((True, True), (True, False), (False, True)):
        stream = Terminal() if watched else StringIO()
        monkeypatch.setattr(parallel.sys, "stderr", stream)
        assert list(spread(abs, [-1, -2], label="reading", progress=progress)) == [1, 2]
        seen[watched, progress] = "reading" in stream.getvalue()
    assert seen == {(True, True): True, (True, False): False, (False, True): False}
