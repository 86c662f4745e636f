"""The content of a file that may be anything: bounded in size, refused early, split in lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from intertwiner.errors import DataError

__all__ = ["Line", "checked_size", "lines_of", "number", "read_bytes", "whole_number"]

_HEAD: Final = 1 << 16
_HTML: Final = re.compile(rb"\s*(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|head|body|\?xml)", re.I)
_NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eEdD][+-]?\d+)?|[+-]?(?:nan|inf)", re.I)
_WHOLE: Final = re.compile(r"[+-]?\d+")

Line = tuple[int, list[str]]
"""Number of a line from 1, and its words."""


def read_bytes(path: Path, max_bytes: int) -> bytes:
    """All of the file.

    Raises `DataError` for a folder, an empty or blank file, a compressed one, a web page, and for
    more than `max_bytes` before any of it is read.
    """
    checked_size(path, max_bytes)
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEAD)
            _check_head(path, head)
            return head + stream.read(max_bytes)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error


def checked_size(path: Path, max_bytes: int) -> int:
    """The size of the file in bytes. Raises `DataError` when it is no file, or too large."""
    try:
        size = path.stat().st_size
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    if path.is_dir():
        raise DataError(f"{path}: is a folder; give one file")
    if size > max_bytes:
        raise DataError(
            f"{path}: {size:,} bytes, more than the {max_bytes:,} allowed; raise max_bytes if the "
            "file is right"
        )
    return size


def _check_head(path: Path, head: bytes) -> None:
    if not head:
        raise DataError(f"{path}: the file is empty")
    if not head.strip():
        raise DataError(f"{path}: nothing but blanks in the first {len(head):,} bytes")
    if head.startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"PK\x03\x04")):
        raise DataError(f"{path}: the file is compressed; unpack it first")
    if _HTML.match(head):
        raise DataError(
            f"{path}: a web page, not a mesh: it begins with {head.lstrip()[:24]!r}; download the "
            "file itself"
        )


def lines_of(path: Path, content: bytes, comment: str = "#") -> Iterator[Line]:
    """Lines that say something, with comments cut off.

    Raises `DataError` for bytes that are not text, naming the line.
    """
    for place, raw in enumerate(content.split(b"\n"), start=1):
        if b"\x00" in raw:
            raise DataError(f"{path}, line {place}: not a text file: {raw[:16]!r}")
        words = raw.decode("utf-8", errors="replace").split(comment, 1)[0].split()
        if words:
            yield place, words


def number(path: Path, place: str, word: str) -> float:
    """The number that `word` stands for, NaN and infinity included.

    Raises `DataError` naming file, place and word otherwise.
    """
    if _NUMBER.fullmatch(word) is None:
        raise DataError(f"{path}, {place}: {word[:40]!r} is no number")
    return float(word.replace("d", "e").replace("D", "e"))


def whole_number(path: Path, place: str, word: str) -> int:
    """As `number`, for whole numbers."""
    if _WHOLE.fullmatch(word) is None:
        raise DataError(f"{path}, {place}: {word[:40]!r} is no whole number")
    return int(word)
