"""Where complexes are: folders with a protein and a ligand each, or a table of their files."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from intertwiner.errors import DataError
from intertwiner_atoms.readers.collection import Failure
from intertwiner_atoms.readers.text import numbered_lines, parse_count, shown

__all__ = ["ComplexFiles", "complexes_in", "read_manifest"]

DEPTH: Final = 3
_PROTEINS: Final = (".pdb", ".cif", ".pdbqt", ".pdb.gz", ".cif.gz")
_LIGANDS: Final = (".sdf", ".mol2", ".pdbqt", ".sdf.gz", ".mol2.gz", ".pdb")
_NAMES: Final = ("name", "id")
_OWN: Final = frozenset(["protein", "ligand", "smiles", "ligand_index", *_NAMES])


@dataclass(frozen=True)
class ComplexFiles:
    """The files of a complex.

    ligands: the first that can be read is used. every: each record of the ligand's file is a
    complex of its own; otherwise there must be one, or `ligand_index` (from 1).
    columns: what else a table says of it, column -> text.
    """

    name: str
    protein: Path
    ligands: tuple[Path, ...]
    ligand_index: int = 0
    every: bool = False
    smiles: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)


def complexes_in(
    root: Path | str, *, pocket: bool = False
) -> tuple[list[ComplexFiles], list[Failure]]:
    """The complexes at most three folders below `root`, and folders that lack one of the files.

    A complex is a folder `1abc` with `1abc_protein.pdb` (with `pocket` `1abc_pocket.pdb`) and
    `1abc_ligand.sdf` or `.mol2`, as in PDBbind; or a folder with `protein.pdb` and either
    `ligand.sdf` or, for many complexes with one protein, `ligands.sdf`. mmCIF, PDBQT and packed
    files (`.gz`) serve as well.
    Raises `DataError` when there is none.
    """
    root = Path(root)
    if not root.is_dir():
        raise DataError(f"{root}: no such folder")
    found, failures = list[ComplexFiles](), list[Failure]()
    for folder in _folders(root, DEPTH):
        seen = _complex_of(folder, "pocket" if pocket else "protein")
        if isinstance(seen, ComplexFiles):
            found.append(seen)
        elif seen is not None:
            failures.append(seen)
    if not found and not failures:
        raise DataError(
            f"{root}: no complexes; a complex is a folder 1abc with 1abc_protein.pdb and "
            "1abc_ligand.sdf (or .mol2), or one with protein.pdb and ligands.sdf"
        )
    return found, failures


def _folders(folder: Path, depth: int) -> Iterator[Path]:
    yield folder
    if depth:
        for each in sorted(each for each in folder.iterdir() if each.is_dir()):
            yield from _folders(each, depth - 1)


def _complex_of(folder: Path, receptor: str) -> ComplexFiles | Failure | None:
    """The complex in a folder, what it lacks, or None when it is no complex's folder."""
    files = {path.name.lower(): path for path in folder.iterdir() if path.is_file()}
    code = folder.resolve().name
    for stem in (f"{code.lower()}_", ""):
        proteins = _present(files, f"{stem}{receptor}", _PROTEINS)
        ligands = _present(files, f"{stem}ligand", _LIGANDS)
        several = _present(files, f"{stem}ligands", _LIGANDS)
        if proteins and (ligands or several):
            every = not ligands
            return ComplexFiles(code, proteins[0], tuple(ligands or several[:1]), every=every)
        if stem and (proteins or ligands):
            missing = "ligand" if proteins else receptor
            kinds = ", ".join(_LIGANDS if proteins else _PROTEINS)
            return Failure(code, f"{folder}: no {code}_{missing} ({kinds})")
    return None


def _present(files: Mapping[str, Path], stem: str, suffixes: tuple[str, ...]) -> list[Path]:
    return [files[stem + suffix] for suffix in suffixes if stem + suffix in files]


def read_manifest(path: Path | str, max_bytes: int = 1 << 29) -> list[ComplexFiles]:
    """The complexes of a CSV table with the columns `protein` and `ligand`, paths beside the table.

    `name` (or `id`), `smiles` and `ligand_index` may be given; all other columns are labels.
    Raises `DataError` naming row and column for a table that is not so.
    """
    path = Path(path)
    lines = (f"{text}\n" for _, text in numbered_lines(path, max_bytes))
    reader = csv.reader(lines, strict=True, skipinitialspace=True)
    try:
        rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise DataError(f"{path}, line {reader.line_num}: not a CSV table: {error}") from error
    heads = [cell.strip().lstrip("\ufeff") for cell in rows[0][1]] if rows else []
    _check_heads(path, heads)
    if len(rows) < 2:
        raise DataError(f"{path}: a head and no rows")
    return [_row(path, line, heads, cells) for line, cells in rows[1:]]


def _check_heads(path: Path, heads: list[str]) -> None:
    for name in ("protein", "ligand"):
        if name not in heads:
            raise DataError(
                f"{path}: no column {name!r} in the first line; there are {', '.join(heads)[:200]}"
            )
    repeated = [name for name in heads if heads.count(name) > 1]
    if repeated:
        raise DataError(f"{path}: column {repeated[0]!r} stands there {heads.count(repeated[0])}x")


def _row(path: Path, line: int, heads: list[str], cells: list[str]) -> ComplexFiles:
    if len(cells) != len(heads):
        raise DataError(f"{path}, line {line}: {len(cells)} cells for {len(heads)} columns")
    values = {head: cell.strip() for head, cell in zip(heads, cells, strict=True)}
    for name in ("protein", "ligand"):
        if not values[name]:
            raise DataError(f"{path}, line {line}: column {name!r} is empty")
    word = values.get("ligand_index") or "0"
    index = parse_count(word)
    if index is None:
        raise DataError(f"{path}, line {line}: ligand_index={shown(word)} is no whole number")
    ligand = path.parent / values["ligand"]
    name = next((values[key] for key in _NAMES if values.get(key)), "")
    return ComplexFiles(
        name=name or ligand.name.partition(".")[0],
        protein=path.parent / values["protein"],
        ligands=(ligand,),
        ligand_index=index,
        smiles=values.get("smiles", ""),
        columns={head: values[head] for head in heads if head not in _OWN},
    )
