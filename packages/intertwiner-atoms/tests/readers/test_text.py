"""Files that are no structures at all, whatever their suffix says."""

from __future__ import annotations

import time
import tracemalloc
from pathlib import Path

import pytest

from intertwiner.errors import DataError
from intertwiner_atoms.config import ReadConfig
from intertwiner_atoms.readers import text
from intertwiner_atoms.readers.any_file import SUFFIXES, read_structures
from intertwiner_atoms.readers.text import numbered_lines, parse_count, parse_number

ALL = sorted(SUFFIXES)
GIB = 1 << 30


@pytest.mark.fault("F21")
@pytest.mark.parametrize("suffix", ALL)
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b" \n\t\n" * 99, "nothing but blanks"),
        (b"\n <!DOCTYPE html><html><body>404</body></html>", "web page"),
        (bytes(range(256)) * 40, "not a text file"),
        (b"\x1f\x8b\x08\x00abc", "compressed"),
        (b"PK\x03\x04abc", "compressed"),
    ],
)
def test_what_is_no_text_is_refused_by_every_reader(
    tmp_path: Path, suffix: str, content: bytes, words: str
) -> None:
    path = tmp_path / f"file{suffix}"
    path.write_bytes(content)
    with pytest.raises(DataError, match=words) as caught:
        read_structures(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.fault("F21")
@pytest.mark.parametrize("suffix", ALL)
def test_prose_is_refused_by_every_reader(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"letter{suffix}"
    path.write_text("Dear colleague,\n\nplease find the structure enclosed.\n\nYours\nA.\n")
    with pytest.raises(DataError, match="letter"):
        read_structures(path)


@pytest.mark.fault("F21")
@pytest.mark.parametrize("suffix", ALL)
def test_a_gibibyte_of_nothing_is_refused_in_no_time_and_little_memory(
    tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"huge{suffix}"
    with path.open("wb") as stream:
        stream.write(b"1\n \nC 0 0 0\n" + b" " * 4096)
        stream.truncate(GIB)
    tracemalloc.start()
    before = time.monotonic()
    with pytest.raises(DataError, match="bytes"):
        read_structures(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 64 << 20
    assert time.monotonic() - before < 5


@pytest.mark.fault("F21")
def test_a_line_without_end_is_refused_at_its_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text, "MAX_LINE", 100)
    path = tmp_path / "long.xyz"
    path.write_text("1\n" + " " * 1000 + "\n")
    with pytest.raises(DataError, match="line 2: longer than 100 bytes"):
        read_structures(path)


@pytest.mark.fault("F21")
def test_the_size_limit_is_a_setting(tmp_path: Path) -> None:
    path = tmp_path / "water.xyz"
    path.write_text("1\n\nHe 0 0 0\n")
    with pytest.raises(DataError, match="raise max_bytes"):
        read_structures(path, ReadConfig(max_bytes=5))


@pytest.mark.fault("F21")
def test_a_folder_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="folder"):
        list(numbered_lines(tmp_path, 100))
    with pytest.raises(DataError, match="No such file"):
        list(numbered_lines(tmp_path / "none.xyz", 100))


def test_an_unknown_suffix_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no reader for \.docx.*\.xyz"):
        read_structures(tmp_path / "a.docx")


def test_lines_are_numbered_from_one_and_end_either_way(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"a\r\nb\nc")
    assert list(numbered_lines(path, 100)) == [(1, "a"), (2, "b"), (3, "c")]


@pytest.mark.parametrize("word", ["1", "-1.5", "+.5", "1e3", " 2. ", "1E-3"])
def test_numbers_are_read(word: str) -> None:
    assert parse_number(word) == float(word)


@pytest.mark.parametrize("word", ["", "1_0", "0x1", "1,5", "1.0D3", "--1", "1 2", "********", "٣"])
def test_what_only_looks_like_a_number_is_none(word: str) -> None:
    assert parse_number(word) is None


@pytest.mark.parametrize(("word", "count"), [("0", 0), (" 12 ", 12), ("999999999", 999_999_999)])
def test_counts_are_read(word: str, count: int) -> None:
    assert parse_count(word) == count


@pytest.mark.parametrize("word", ["", "-1", "1.0", "²", "1_0", "9" * 5000, "٣"])
def test_what_only_looks_like_a_count_is_none(word: str) -> None:
    assert parse_count(word) is None
