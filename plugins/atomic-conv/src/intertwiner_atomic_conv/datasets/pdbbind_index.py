"""Index files of PDBbind: `code resolution year [pK] Ki=400nM // reference (ligand name)`.

The line is divided at `//` first, so that ligand names with blanks survive. Files with and without
the column of pK are read; where both are there, they are compared.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from intertwiner.errors import DataError
from intertwiner_atomic_conv.affinity import to_pk
from intertwiner_atomic_conv.errors import InvalidInput

__all__ = ["Entry", "Index", "find_index", "parse_lines", "read_index"]

_VALUE = re.compile(r"(Kd|Ki|IC50|EC50)(<=|>=|=|<|>|~)([0-9.eE+-]+)(fM|pM|nM|uM|mM|M)")
_CODE = re.compile(r"[0-9][0-9A-Za-z]{3}")
APART = 0.1
USUAL = -1.0, 15.0
"""pK; beyond it a unit is more likely wrong than right."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One complex: year of release, pK, kind of measurement, and relation ("=" when exact)."""

    code: str
    year: int
    pk: float
    kind: str
    relation: str


@dataclass(slots=True)
class Index:
    """entries by code; counts: what was met; notes: lines that need a look, with their numbers."""

    entries: dict[str, Entry] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)


def find_index(root: Path, subset: str) -> Path:
    """The index file below `root` whose name has `subset`, the last in order of name.

    Raises `DataError` when there is none.
    """
    found = sorted(
        path
        for pattern in ("INDEX_*_data.*", "*.lst")
        for path in root.rglob(pattern)
        if subset in path.name
    )
    if not found:
        raise DataError(
            f"no INDEX_*{subset}*_data.* or .lst below {root}; give one with --data.index FILE"
        )
    return found[-1]


def read_index(path: Path) -> Index:
    """Every line that can be parsed; the others are counted and the first five shown.

    Raises `DataError` when the file cannot be read or no line can be parsed.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    index = parse_lines(text.splitlines())
    if not index.entries:
        raise DataError(f"{path}: no line of an index: 'code resolution year [pK] Kd=1nM // ...'")
    return index


def parse_lines(lines: Iterable[str]) -> Index:
    """The index of some lines; comments and empty lines are skipped."""
    index = Index()
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            entry, written = _parse(line)
        except InvalidInput as error:
            index.counts["lines not read"] += 1
            if index.counts["lines not read"] <= 5:
                index.notes.append(f"line {number}: {error}")
            continue
        if written is not None and abs(written - entry.pk) > APART:
            index.counts["pK and value disagree"] += 1
            index.notes.append(
                f"line {number}: pK {written:g} written, {entry.pk:.2f} from the value"
            )
        if not USUAL[0] <= entry.pk <= USUAL[1]:
            index.counts["pK outside -1 to 15"] += 1
            index.notes.append(f"line {number}: pK {entry.pk:.4g} of {entry.code}: wrong unit?")
        index.entries[entry.code] = entry
    return index


def _parse(line: str) -> tuple[Entry, float | None]:
    """(entry, the written pK where there is one)."""
    words = line.split("//")[0].split()
    if len(words) < 4 or not _CODE.fullmatch(words[0]) or not words[2].isdigit():
        raise InvalidInput(f"not 'code resolution year [pK] value': {line.strip()[:60]!r}")
    measured = next((found for word in words[3:] if (found := _VALUE.match(word))), None)
    if measured is None:
        raise InvalidInput(f"{words[0]}: no value such as Kd=1nM in {line.strip()[:60]!r}")
    kind, relation, value, unit = measured.groups()
    pk = to_pk(float(value), unit, f"{kind}{relation}{value}{unit} of {words[0]}")
    written = _number(words[3])
    return Entry(words[0].lower(), int(words[2]), pk, kind, relation), written


def _number(word: str) -> float | None:
    try:
        value = float(word)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
