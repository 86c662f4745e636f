"""Molecules from a table of SMILES (extra `chem`): graphs, scaffolds, and what failed."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from intertwiner.errors import DataError
from intertwiner_fedchem.data.codes import ATOM_RADICES
from intertwiner_fedchem.data.csv_table import Table
from intertwiner_fedchem.data.graph import Graph
from intertwiner_fedchem.data.molecules import Molecules

__all__ = ["Parsed", "from_table", "parse_all"]

_log = logging.getLogger(__name__)
Failing = Literal["stop", "drop"]


@dataclass(frozen=True, slots=True)
class Parsed:
    """The rows that are molecules, RDKit's molecules, and the reason for every row that is none.

    lax: rows that only parse when valences RDKit does not know are let through.
    """

    rows: tuple[int, ...]
    molecules: tuple[Any, ...]
    failed: dict[int, str]
    lax: tuple[int, ...]


def parse_all(smiles: Sequence[str]) -> Parsed:
    """Every SMILES parsed; numbers count from 0. Raises `DataError` without RDKit."""
    parse = _chemistry().parse
    rows, molecules, lax, failed = [], [], [], {}
    for row, text in enumerate(smiles):
        try:
            molecules.append(parse(text))
        except DataError as error:
            try:
                molecules.append(parse(text, lax=True))
            except DataError:
                failed[row] = str(error)
                continue
            lax.append(row)
        rows.append(row)
    return Parsed(tuple(rows), tuple(molecules), failed, tuple(lax))


def from_table(table: Table, targets: Sequence[str], origin: str, failing: Failing) -> Molecules:
    """The molecules of a table. failing: whether rows that are no molecules stop or are dropped.

    Raises `DataError` with the numbers of the rows (the first is 1) that are no molecules.
    """
    from intertwiner_fedchem.data.scaffolds import (
        coarse_group,
        identity_of,
        number_by_appearance,
        scaffold_of,
    )

    featurise, parsed = _chemistry().featurise, parse_all(table.smiles)
    _report(parsed, origin, failing)
    scaffolds = [scaffold_of(molecule) for molecule in parsed.molecules]
    coarse = {scaffold: coarse_group(scaffold) for scaffold in dict.fromkeys(scaffolds)}
    labels = table.labels[np.array(parsed.rows, dtype=np.int64)]
    graphs = [featurise(molecule) for molecule in parsed.molecules]
    _tell_unknown(graphs, origin)
    return Molecules(
        graphs=graphs,
        names=[table.smiles[row] for row in parsed.rows],
        scaffold=number_by_appearance(scaffolds),
        coarse_scaffold=number_by_appearance([coarse[scaffold] for scaffold in scaffolds]),
        identity=number_by_appearance([identity_of(molecule) for molecule in parsed.molecules]),
        labels={name: labels[:, column] for column, name in enumerate(targets)},
    )


def _report(parsed: Parsed, origin: str, failing: Failing) -> None:
    if parsed.lax:
        shown = _rows(parsed.lax)
        _log.warning("%s: valences unknown to RDKit are kept as they are in %s", origin, shown)
    if not parsed.failed:
        return
    first = next(iter(parsed.failed.values()))
    said = f"{origin}: {_rows(tuple(parsed.failed))} are no molecules ({first})"
    if failing == "stop" or not parsed.rows:
        raise DataError(f"{said}; correct them, or leave them out with --data.failing drop")
    _log.warning("%s; left out before splitting, so no official split can hold", said)


def _tell_unknown(graphs: Sequence[Graph], origin: str) -> None:
    """One warning for all atoms without a column for their element or degree."""
    codes = np.concatenate([graph.atom_code for graph in graphs])
    element, rest = codes % ATOM_RADICES[0], codes // ATOM_RADICES[0]
    elements = int((element == ATOM_RADICES[0] - 1).sum())
    degrees = int((rest % ATOM_RADICES[1] == ATOM_RADICES[1] - 1).sum())
    if elements or degrees:
        said = "%s: %d atom(s) of elements and %d of degrees without a column: zeros there"
        _log.warning(said, origin, elements, degrees)


def _rows(rows: Sequence[int]) -> str:
    more = f" and {len(rows) - 10} more" if len(rows) > 10 else ""
    return f"row(s) {', '.join(str(row + 1) for row in rows[:10])}{more}"


def _chemistry() -> Any:
    """RDKit's side. Raises `DataError` naming the extra where RDKit is missing."""
    try:
        from intertwiner_fedchem.data import featurise
    except ModuleNotFoundError as error:
        if error.name != "rdkit":
            raise
        raise DataError(
            "SMILES need RDKit: pip install 'intertwiner-fedchem[chem]'; the embedded set "
            "fedchem/gfn2-bonds does not"
        ) from error
    return featurise
