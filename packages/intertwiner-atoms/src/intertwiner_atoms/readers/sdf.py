"""SDF and MOL files: RDKit without sanitisation, so that odd chemistry is no obstacle.

Only elements and places are taken. The fixed columns of V2000 atoms are checked before RDKit sees
them, so that an error can name line and atom; V3000 blocks are left to RDKit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from rdkit import Chem, rdBase

from intertwiner.errors import DataError
from intertwiner_atoms.readers.base import Lines, RecordsReader, title_of
from intertwiner_atoms.readers.raw_atoms import RawAtoms
from intertwiner_atoms.readers.text import parse_count, parse_number

__all__ = ["SdfReader"]


_PLAIN: Final = re.compile(r" *-?\d+\.\d+ *", re.A)
_USUAL: Final = re.compile(r"(?: *-?\d+\.\d{4}){3}", re.A)
"""Three numbers; with their points in columns 6, 16 and 26 each fills its own ten."""


@dataclass(frozen=True, slots=True)
class _Block:
    """The lines of one molecule; `start` is the number of the first in the file."""

    number: int
    start: int
    lines: list[str]


class SdfReader(RecordsReader[_Block]):
    """Reads `.sdf` and `.mol`, every molecule of the file."""

    boundary = b"$$$$"
    closes = True

    def blocks(self, lines: Lines, first: int = 1) -> Iterator[_Block]:
        return _blocks(lines, first)

    def parse(self, path: Path, block: _Block) -> RawAtoms:
        title = block.lines[0].strip() if block.lines else ""
        where = f"record {block.number}" + (f" ({title[:40]})" if title else "")
        version = _version(path, block, where)
        if version == "V2000":
            _check_v2000(path, block, where)
        with rdBase.BlockLogs():
            text = "\n".join(block.lines)
            molecule = Chem.MolFromMolBlock(text, sanitize=False, removeHs=False)
        if molecule is None:
            raise DataError(
                f"{path}, {where}: RDKit cannot read the block that begins in line {block.start}"
            )
        return replace(self._raw(path, block, where, title, molecule), text=text)

    def _raw(self, path: Path, block: _Block, where: str, title: str, molecule: Any) -> RawAtoms:
        pos = np.asarray(molecule.GetConformer().GetPositions()).reshape(-1, 3)
        if self.config.flat == "stop" and len(pos) > 3 and _is_drawing(block, pos):
            raise DataError(
                f"{path}, {where}: a drawing in the plane (2D), not a geometry; make 3D "
                "coordinates first, or set flat=keep"
            )
        # not GetAtoms(), which counts all atoms at every step
        tokens = [_token(molecule.GetAtomWithIdx(index)) for index in range(len(pos))]
        name = title or f"{title_of(path)} {block.number}"
        labels = [
            f"atom {index + 1} (line {block.start + 4 + index})" for index in range(len(tokens))
        ]
        return RawAtoms(path, name, where, tokens, labels, pos)


def _blocks(source: Lines, number: int) -> Iterator[_Block]:
    """The lines cut at `$$$$`; data fields after `M  END` are left out."""
    start, lines, in_block = 0, list[str](), True
    for line_number, line in source:
        start = start or line_number
        if line.startswith("$$$$"):
            yield _Block(number, start, lines)
            number, start, lines, in_block = number + 1, line_number + 1, [], True
            continue
        if in_block:
            lines.append(line)
        in_block = in_block and not line.startswith("M  END")
    if any(line.strip() for line in lines):
        yield _Block(number, start, lines)


def _version(path: Path, block: _Block, where: str) -> str:
    counts = block.lines[3] if len(block.lines) > 3 else ""
    for version in ("V2000", "V3000"):
        if version in counts:
            return version
    raise DataError(
        f"{path}, {where}: line {block.start + 3} must hold the counts of atoms and bonds and "
        f"V2000 or V3000, not {counts[:40]!r}: not an SDF file, or a damaged one"
    )


def _check_v2000(path: Path, block: _Block, where: str) -> None:
    counts = block.lines[3]
    atoms, bonds = parse_count(counts[:3]), parse_count(counts[3:6].strip() or "0")
    if atoms is None or bonds is None:
        raise DataError(
            f"{path}, {where}, line {block.start + 3}: {counts[:6]!r} must be two counts"
        )
    expected = 4 + atoms + bonds
    present = [index for index, line in enumerate(block.lines) if line.strip()]
    end = next((i for i, line in enumerate(block.lines) if line.startswith("M  ")), None)
    if (end if end is not None else present[-1] + 1) < expected:
        raise DataError(
            f"{path}, {where}: {atoms} atoms and {bonds} bonds are announced, but the block ends "
            f"at line {block.start + (end if end is not None else len(block.lines)) - 1}"
        )
    for index in range(atoms):
        _check_atom(path, block, where, index)


def _check_atom(path: Path, block: _Block, where: str, index: int) -> None:
    line = block.lines[4 + index]
    if line[5:26:10] == "..." and _USUAL.fullmatch(line, 0, 30):
        return
    if all(map(_PLAIN.fullmatch, (line[:10], line[10:20], line[20:30]))):
        return
    for axis, start in zip("xyz", (0, 10, 20), strict=True):
        text = line[start : start + 10]
        value = parse_number(text)
        if value is None or not np.isfinite(value):
            raise DataError(
                f"{path}, {where}, line {block.start + 4 + index}: atom {index + 1} has "
                f"{axis}={text!r}, which is no finite number in columns {start + 1}-{start + 10}"
            )


def _is_drawing(block: _Block, pos: np.ndarray) -> bool:
    """Whether the header says 2D, or says nothing and all atoms lie at z = 0."""
    dimension = block.lines[1][20:22].upper()
    return dimension == "2D" or (dimension != "3D" and bool((pos[:, 2] == 0).all()))


def _token(atom: Any) -> str:
    isotope = atom.GetIsotope()
    if atom.GetAtomicNum() == 1 and isotope in (2, 3):
        return "D" if isotope == 2 else "T"
    return str(atom.GetSymbol())
