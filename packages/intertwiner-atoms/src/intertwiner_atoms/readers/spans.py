"""A file of many records cut into pieces at records' ends, so that processes can share it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from intertwiner_atoms.readers.base import AtomsReader, Lines, RecordsReader
from intertwiner_atoms.readers.text import GZIP, decoded_lines, read_bytes

__all__ = ["Span", "lines_of", "spans"]

PIECE = 1 << 18
"""Bytes of a piece: some fifty ligands."""


@dataclass(frozen=True)
class Span:
    """The bytes from `begin` to `end`; its first record and line, counted from 1 in the file."""

    begin: int
    end: int
    record: int
    line: int


def spans(path: Path, reader: AtomsReader, piece: int = PIECE) -> list[Span]:
    """The pieces of a file; none where it cannot be cut: one record a file, or compressed.

    Raises `DataError` as readers do.
    """
    if not isinstance(reader, RecordsReader):
        return []
    data = read_bytes(path, reader.config.max_bytes)
    with path.open("rb") as stream:
        if stream.read(2) == GZIP:
            return []
    pattern = re.compile(b"^" + re.escape(reader.boundary) + b"[^\n]*\n?", re.M)
    matches = list(pattern.finditer(data))
    if reader.closes:
        cuts = [(match.end(), number) for number, match in enumerate(matches, start=2)]
    else:
        cuts = [(match.start(), number) for number, match in enumerate(matches, start=1)][1:]
    found, begin, record, line = list[Span](), 0, 1, 1
    for cut, number in cuts:
        if cut - begin >= piece:
            found.append(Span(begin, cut, record, line))
            line += data.count(b"\n", begin, cut)
            begin, record = cut, number
    if data[begin:].strip():
        found.append(Span(begin, len(data), record, line))
    return found


def lines_of(path: Path, span: Span, max_bytes: int) -> Lines:
    """The lines of a piece, numbered as in the file."""
    with path.open("rb") as stream:
        stream.seek(span.begin)
        piece = BytesIO(stream.read(span.end - span.begin))
    yield from enumerate(decoded_lines(path, piece, max_bytes, span.line), start=span.line)
