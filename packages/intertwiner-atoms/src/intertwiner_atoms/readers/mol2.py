"""Tripos MOL2 files, of which only the atoms are needed: element and place.

RDKit's parser drops lone pairs without a word and lets NaN pass, so the lines are read here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from intertwiner.errors import DataError
from intertwiner_atoms.readers.base import Lines, RecordsReader, title_of
from intertwiner_atoms.readers.raw_atoms import RawAtoms
from intertwiner_atoms.readers.report import ReadReport
from intertwiner_atoms.readers.text import parse_count, parse_number, shown

__all__ = ["Mol2Reader"]

SECTION = "@<TRIPOS>"
Numbered = list[tuple[int, str]]


@dataclass(frozen=True, slots=True)
class _Molecule:
    """The lines of the MOLECULE and ATOM sections of one molecule, and those of its bonds."""

    number: int
    head: Numbered
    atoms: Numbered
    bonds: Numbered

    @property
    def text(self) -> str:
        parts = (("MOLECULE", self.head), ("ATOM", self.atoms), ("BOND", self.bonds))
        return "".join(
            f"{SECTION}{name}\n" + "".join(f"{line}\n" for _, line in lines)
            for name, lines in parts
        )


class Mol2Reader(RecordsReader[_Molecule]):
    """Reads `.mol2`, every molecule of the file. The element is the atom type before its dot."""

    boundary = b"@<TRIPOS>MOLECULE"

    def raw_records(self, path: Path, report: ReadReport) -> Iterator[RawAtoms]:
        found = False
        for raw in super().raw_records(path, report):
            found = True
            yield raw
        if not found:
            raise DataError(f"{path}: no {SECTION}MOLECULE line: not a MOL2 file")

    def blocks(self, lines: Lines, first: int = 1) -> Iterator[_Molecule]:
        return _molecules(lines, first)

    def parse(self, path: Path, block: _Molecule) -> RawAtoms:
        raw = _record(path, block.number, block.head, block.atoms)
        return replace(raw, text=block.text)


def _molecules(lines: Lines, first: int) -> Iterator[_Molecule]:
    sections: dict[str, Numbered] = {}
    current: Numbered = []
    for number, line in lines:
        if line.startswith(SECTION):
            name = line.removeprefix(SECTION).strip()
            if name == "MOLECULE":
                if "MOLECULE" in sections:
                    yield _molecule(first, sections)
                    first += 1
                sections = {}
            current = sections.setdefault(name, [])
        elif not line.startswith("#"):
            current.append((number, line))
    if "MOLECULE" in sections:
        yield _molecule(first, sections)


def _molecule(number: int, sections: dict[str, Numbered]) -> _Molecule:
    head, atoms, bonds = (sections.get(name, []) for name in ("MOLECULE", "ATOM", "BOND"))
    return _Molecule(number, head, atoms, bonds)


def _record(path: Path, number: int, head: Numbered, atoms: Numbered) -> RawAtoms:
    title = head[0][1].strip() if head else ""
    where = f"record {number}" + (f" ({title[:40]})" if title else "")
    rows = [(line, text.split()) for line, text in atoms if text.strip()]
    counts = head[1][1].split() if len(head) > 1 else []
    if not counts or parse_count(counts[0]) != len(rows):
        announced = counts[0][:40] if counts else "no number"
        raise DataError(
            f"{path}, {where}: {announced} of atoms announced, {len(rows)} atom lines found: the "
            "file is cut off or its columns are wrong"
        )
    return RawAtoms(
        file=path,
        name=title or f"{title_of(path)} {number}",
        where=where,
        tokens=[_element(path, line, words) for line, words in rows],
        labels=[f"atom {words[0][:20]} {words[1][:20]} (line {line})" for line, words in rows],
        pos=np.array([_position(path, line, words) for line, words in rows]).reshape(-1, 3),
    )


def _element(path: Path, line: int, words: list[str]) -> str:
    if len(words) < 6:
        raise DataError(
            f"{path}, line {line}: {len(words)} columns; an atom needs number, name, x, y, z, type"
        )
    return words[5].split(".")[0]


def _position(path: Path, line: int, words: list[str]) -> list[float]:
    row = []
    for axis, word in zip("xyz", words[2:5], strict=True):
        value = parse_number(word)
        if value is None:
            raise DataError(
                f"{path}, line {line}, atom {words[0][:20]} {words[1][:20]}: "
                f"{axis}={shown(word)} is no number"
            )
        row.append(value)
    return row
