"""ATOM3D residue identity (RES), from the user's own download; its topology split is kept.

Every part is an LMDB of gzipped structures: a table of atoms, and the residues that are targets,
named "CHAIN_NUMBER_TYPE". Tables are JSON or msgpack; pickles are refused.
"""

from __future__ import annotations

import gzip
import importlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import torch

from intertwiner.data import Dataset
from intertwiner_steerable3d.data.archive import ProteinSplit
from intertwiner_steerable3d.data.config import Atom3dData, PropensityData
from intertwiner_steerable3d.data.made_up import made_up_proteins
from intertwiner_steerable3d.data.propensity import assemble
from intertwiner_steerable3d.data.proteins import AMINO_ACIDS, ELEMENTS, Proteins, join
from intertwiner_steerable3d.data.supplied import supplied
from intertwiner_steerable3d.errors import InvalidInput

__all__ = ["COLUMNS", "load", "protein_of", "synthetic"]

PARTS: Final = ("train", "val", "test")
COLUMNS: Final = ("chain", "residue", "insertion_code", "resname", "element", "name", "x", "y", "z")
"""Of the table of atoms."""

_BACKBONE: Final = ("N", "CA", "C")


def load(config: Atom3dData) -> Dataset:
    """Residues of the three parts.

    Raises `ConfigError` without a path, `InvalidInput` for what is not such a folder or record.
    """
    what = "the folder split-by-cath-topology/data"
    folder = _folder(supplied(config.path, "atom3d-residues", "data", what))
    proteins, part = [], []
    for place, name in enumerate(PARTS):
        found = [protein_of(item) for item in _items(folder / name, config.structures)]
        proteins += found
        part += [place] * len(found)
    split = ProteinSplit(torch.tensor(part), torch.arange(len(part)))
    return _dataset(join(proteins), split, config)


def _dataset(proteins: Proteins, split: ProteinSplit, config: Atom3dData) -> Dataset:
    same = PropensityData(side=config.side, step=config.step, sigma=config.sigma)
    made = assemble(proteins, split, same)
    return Dataset(made.records, {"topology": made.splits["cluster"]})


def _folder(path: Path) -> Path:
    for folder in (path, path / "data", path / "split-by-cath-topology" / "data"):
        if all((folder / part).is_dir() for part in PARTS):
            return folder
    raise InvalidInput(f"{path}: no folders {', '.join(PARTS)} in it, nor in its data folder")


def _items(folder: Path, most: int) -> Iterator[Mapping[str, Any]]:
    try:
        lmdb: Any = importlib.import_module("lmdb")
    except ImportError as error:
        raise InvalidInput(
            f"{folder}: reading it needs lmdb: pip install 'intertwiner-steerable3d[atom3d]'"
        ) from error
    try:
        store = lmdb.open(str(folder), readonly=True, lock=False, readahead=False)
    except lmdb.Error as error:
        raise InvalidInput(f"{folder}: not an LMDB: {error}") from error
    with store, store.begin() as view:
        count = int(view.get(b"num_examples") or 0)
        kind = (view.get(b"serialization_format") or b"").decode()
        for number in range(min(count, most) if most else count):
            yield _decoded(folder, number, view.get(str(number).encode()), kind)


def _decoded(folder: Path, number: int, content: bytes | None, kind: str) -> Mapping[str, Any]:
    where = f"{folder}, record {number}"
    if content is None:
        raise InvalidInput(f"{where}: missing")
    try:
        plain = gzip.decompress(content)
        if kind == "json":
            found = json.loads(plain)
        elif kind == "msgpack":
            found = importlib.import_module("msgpack").unpackb(plain)
        else:
            raise InvalidInput(f"{where}: {kind!r} is not read (json and msgpack are)")
    except (OSError, ValueError, EOFError) as error:
        if isinstance(error, InvalidInput):
            raise
        raise InvalidInput(f"{where}: cannot be unpacked: {error}") from error
    if not isinstance(found, Mapping) or not {"id", "atoms", "labels"} <= set(found):
        raise InvalidInput(f"{where}: must have id, atoms and labels")
    return found


def protein_of(item: Mapping[str, Any]) -> Proteins:
    """One structure; residues that are not among its labels are no targets.

    Raises `InvalidInput` naming the structure and the columns that are missing.
    """
    name = str(item["id"])
    atoms = _columns(name, item["atoms"], COLUMNS)
    labels = {str(label) for label in _columns(name, item["labels"], ("subunit",))["subunit"]}
    rows = [row for row, element in enumerate(atoms["element"]) if element in ELEMENTS]
    keys = [_key(atoms, row) for row in rows]
    residues = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    kinds = [-1] * len(residues)
    backbone = torch.full((len(residues), 3, 3), float("nan"))
    pos = torch.tensor([[atoms[axis][row] for axis in "xyz"] for row in rows]).reshape(-1, 3)
    for place, row, key in zip(pos, rows, keys, strict=True):
        number, kind = residues[key], str(atoms["resname"][row])
        if kind in AMINO_ACIDS and f"{key[0]}_{key[1]}_{kind}" in labels:
            kinds[number] = AMINO_ACIDS.index(kind)
        if atoms["name"][row] in _BACKBONE:
            backbone[number, _BACKBONE.index(atoms["name"][row])] = place
    return Proteins(
        names=(name,),
        pos=pos.float(),
        element=torch.tensor([ELEMENTS.index(atoms["element"][row]) for row in rows]),
        residue=torch.tensor([residues[key] for key in keys]),
        amino_acid=torch.tensor(kinds),
        backbone=backbone,
        atom_ptr=torch.tensor([0, len(rows)]),
        residue_ptr=torch.tensor([0, len(residues)]),
    )


def _key(atoms: Mapping[str, Sequence[Any]], row: int) -> tuple[str, int, str]:
    code = str(atoms["insertion_code"][row]).strip()
    return str(atoms["chain"][row]), int(atoms["residue"][row]), code


def _columns(name: str, table: Any, wanted: Sequence[str]) -> dict[str, list[Any]]:
    """Columns of a table written as {"columns": [...], "data": [[...], ...]}."""
    given = list(table.get("columns", ())) if isinstance(table, Mapping) else []
    missing = [column for column in wanted if column not in given]
    if missing:
        raise InvalidInput(f"structure {name}: no column {', '.join(missing)}")
    places = {column: given.index(column) for column in wanted}
    return {column: [row[place] for row in table["data"]] for column, place in places.items()}


def synthetic(count: int, seed: int) -> Dataset:
    """Residues of made-up helices."""
    proteins, split = made_up_proteins(count, seed)
    return _dataset(proteins, split, Atom3dData(side=9, step=2.0, sigma=1.6))
