"""Text of a file that may be anything: bounded in memory and time, refused early, gzip unpacked."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final, cast

from intertwiner.errors import DataError

__all__ = [
    "GZIP",
    "MAX_LINE",
    "check_text",
    "decoded",
    "decoded_lines",
    "numbered_lines",
    "parse_count",
    "parse_number",
    "read_bytes",
    "shown",
]

MAX_LINE: Final = 1 << 20
"""Bytes of the longest line that is read."""

MAX_DIGITS: Final = 9
"""Digits of the largest count that is read; no file has more atoms."""

LONGEST_SHOWN: Final = 60
"""Characters of a file's text that a message repeats."""

GZIP: Final = b"\x1f\x8b"
_HEAD: Final = 1 << 16
_CONTROL: Final = bytes([*range(9), *range(14, 27), *range(28, 32)])
_HTML: Final = re.compile(rb"\s*(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|head|body|\?xml)", re.I)
_NUMBER: Final = re.compile(
    r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?(?:nan|inf)", re.I | re.A
)


def check_text(path: Path, max_bytes: int) -> bytes:
    """The first 64 KiB of a file of text with at most `max_bytes` bytes, unpacked if need be.

    Raises `DataError` for any other file: empty and blank ones, binary data and web pages are
    told apart from text by their beginning.
    """
    _check_size(path, max_bytes)
    with _opened(path) as stream:
        head = stream.read(_HEAD)
    _check_head(path, head)
    return head


def _check_size(path: Path, max_bytes: int) -> None:
    try:
        size = path.stat().st_size
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    if size > max_bytes:
        raise _too_long(path, f"{size:,} bytes", max_bytes)


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """The file's bytes, unpacked where they are gzip's. Raises `DataError` for what goes wrong."""
    if path.is_dir():
        raise DataError(f"{path}: is a folder; give one file")
    try:
        with path.open("rb") as raw:
            packed = raw.read(2) == GZIP
            raw.seek(0)
            if packed:
                with gzip.GzipFile(fileobj=raw) as stream:
                    yield cast("IO[bytes]", stream)
            else:
                yield raw
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path}: compressed, and cannot be unpacked: {error}") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error


def _too_long(path: Path, seen: str, max_bytes: int) -> DataError:
    return DataError(
        f"{path}: {seen}, more than the {max_bytes:,} allowed; raise max_bytes if the file is right"
    )


def _check_head(path: Path, head: bytes) -> None:
    if not head:
        raise DataError(f"{path}: the file is empty")
    if head.startswith((b"BZh", b"\xfd7zXZ", b"PK\x03\x04", b"\x28\xb5\x2f\xfd")):
        raise DataError(
            f"{path}: compressed in a way that is not read (gzip is); unpack the file first"
        )
    if len(head.translate(None, _CONTROL)) < len(head):
        raise DataError(f"{path}: not a text file: it begins with {head[:12]!r}")
    if _HTML.match(head):
        raise DataError(
            f"{path}: a web page, not a structure: it begins with {head.lstrip()[:24]!r}; "
            "download the file itself"
        )
    if not head.strip():
        raise DataError(f"{path}: nothing but blanks in the first {len(head):,} bytes")


def read_bytes(path: Path, max_bytes: int) -> bytes:
    """All of a file that `check_text` lets pass, unpacked to at most `max_bytes` bytes."""
    _check_size(path, max_bytes)
    with _opened(path) as stream:
        data = stream.read(max_bytes + 1)
    _check_head(path, data[:_HEAD])
    if len(data) > max_bytes:
        raise _too_long(path, "unpacks to more bytes", max_bytes)
    return data


def numbered_lines(path: Path, max_bytes: int) -> Iterator[tuple[int, str]]:
    """(line number from 1, line without its end) of a file that `check_text` lets pass.

    Raises `DataError` naming the line that is longer than `MAX_LINE`.
    """
    check_text(path, max_bytes)
    with _opened(path) as stream:
        yield from enumerate(decoded_lines(path, stream, max_bytes), start=1)


def decoded_lines(path: Path, stream: IO[bytes], max_bytes: int, first: int = 1) -> Iterator[str]:
    """The lines of a stream; for messages the first has the number `first`."""
    number, total = first - 1, 0
    while line := stream.readline(MAX_LINE + 1):
        number, total = number + 1, total + len(line)
        if len(line) > MAX_LINE:
            raise DataError(f"{path}, line {number}: longer than {MAX_LINE:,} bytes")
        if total > max_bytes:
            raise _too_long(path, "unpacks to more bytes", max_bytes)
        yield decoded(line).rstrip("\r\n")


def decoded(line: bytes) -> str:
    """The characters of `line`: UTF-8, or Latin-1 where it is not."""
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("latin-1")


def shown(text: str) -> str:
    """`text` in quotes for a message, cut where it is long."""
    return repr(text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}...")


def parse_count(text: str) -> int | None:
    """The whole number from 0 to 999,999,999 that `text` stands for; None when it is none."""
    stripped = text.strip()
    plain = stripped.isascii() and stripped.isdigit() and len(stripped) <= MAX_DIGITS
    return int(stripped) if plain else None


def parse_number(text: str) -> float | None:
    """The number `text` stands for, NaN and infinity included; None when it is none."""
    stripped = text.strip()
    return float(stripped) if _NUMBER.fullmatch(stripped) else None
