"""Lines of a text file that may be anything: bounded in memory and time, refused early."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from intertwiner.errors import DataError

__all__ = ["MAX_LINE", "check_text", "numbered_lines", "parse_number"]

MAX_LINE: Final = 1 << 20
"""Bytes of the longest line that is read."""

_HEAD: Final = 1 << 16
_CONTROL: Final = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_HTML: Final = re.compile(rb"\s*(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|head|body|\?xml)", re.I)
_NUMBER: Final = re.compile(
    r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?(?:nan|inf)", re.I | re.A
)


def check_text(path: Path, max_bytes: int) -> None:
    """Raises `DataError` unless `path` is a file of text with at most `max_bytes` bytes.

    Empty and blank files, binary data and web pages are told apart from text by their beginning.
    """
    try:
        size = path.stat().st_size
        if path.is_dir():
            raise DataError(f"{path}: is a folder; give one file")
        with path.open("rb") as stream:
            head = stream.read(_HEAD)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    if size > max_bytes:
        raise DataError(
            f"{path}: {size:,} bytes, more than the {max_bytes:,} allowed; raise max_bytes "
            "if the file is right"
        )
    _check_head(path, head)


def _check_head(path: Path, head: bytes) -> None:
    if not head:
        raise DataError(f"{path}: the file is empty")
    if head.startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"PK\x03\x04")):
        raise DataError(f"{path}: the file is compressed; unpack it first")
    if _CONTROL.search(head):
        raise DataError(f"{path}: not a text file: it begins with {head[:12]!r}")
    if _HTML.match(head):
        raise DataError(
            f"{path}: a web page, not a structure: it begins with {head.lstrip()[:24]!r}; "
            "download the file itself"
        )
    if not head.strip():
        raise DataError(f"{path}: nothing but blanks in the first {len(head):,} bytes")


def numbered_lines(path: Path, max_bytes: int) -> Iterator[tuple[int, str]]:
    """(line number from 1, line without its end) of a file that `check_text` lets pass.

    Raises `DataError` naming the line that is longer than `MAX_LINE`.
    """
    check_text(path, max_bytes)
    with path.open("rb") as stream:
        yield from enumerate(_decoded(path, stream), start=1)


def _decoded(path: Path, stream: BinaryIO) -> Iterator[str]:
    number = 0
    while line := stream.readline(MAX_LINE + 1):
        number += 1
        if len(line) > MAX_LINE:
            raise DataError(f"{path}, line {number}: longer than {MAX_LINE:,} bytes")
        yield line.decode("utf-8", errors="replace").rstrip("\r\n")


def parse_number(text: str) -> float | None:
    """The number `text` stands for, NaN and infinity included; None when it is none."""
    stripped = text.strip()
    return float(stripped) if _NUMBER.fullmatch(stripped) else None
