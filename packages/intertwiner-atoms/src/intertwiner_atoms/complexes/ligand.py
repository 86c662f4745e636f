"""Ligands: the records of an SDF, MOL2, PDBQT, PDB, mmCIF or XYZ file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray

from intertwiner.errors import DataError
from intertwiner_atoms.config import ComplexConfig, ReadConfig
from intertwiner_atoms.elements import SYMBOLS
from intertwiner_atoms.readers.any_file import reader_of, suffix_of
from intertwiner_atoms.readers.base import RecordsReader
from intertwiner_atoms.readers.raw_atoms import Atoms
from intertwiner_atoms.readers.report import ReadReport
from intertwiner_atoms.readers.spans import Span, lines_of
from intertwiner_atoms.readers.text import numbered_lines

__all__ = ["Ligand", "ligands_of", "only_ligand", "read_config", "read_ligands"]

_SHOWN = 5


@dataclass(frozen=True)
class Ligand:
    """One molecule: atomic numbers, places in angstrom, and how to call them in messages."""

    atoms: Atoms
    report: ReadReport

    @property
    def file(self) -> Path:
        return self.atoms.raw.file

    @property
    def name(self) -> str:
        return self.atoms.raw.name

    @property
    def place(self) -> str:
        return self.atoms.raw.place

    @property
    def z(self) -> Int[NDArray[np.int64], " atoms"]:
        return self.atoms.z

    @property
    def pos(self) -> Float[NDArray[np.float64], "atoms 3"]:
        return self.atoms.pos

    def label(self, atom: int) -> str:
        """An atom in messages: its element and where the file has it."""
        return f"{SYMBOLS[int(self.z[atom])]} {self.atoms.label(atom)}"


def read_ligands(path: Path | str, config: ComplexConfig | None = None) -> list[Ligand]:
    """All ligands of a file. Raises `DataError` for the first that cannot be read."""
    found = []
    for ligand in ligands_of(Path(path), config or ComplexConfig()):
        if isinstance(ligand, DataError):
            raise ligand
        found += [ligand] if ligand else []
    return found


def only_ligand(path: Path | str, config: ComplexConfig | None = None) -> Ligand:
    """The one ligand of a file, or the one that `ligand_index` says.

    Raises `DataError` when there are several and none is named, and when there are fewer.
    """
    path, config = Path(path), config or ComplexConfig()
    index = config.ligand_index
    found = list(ligands_of(path, config, index))
    if index > len(found):
        raise DataError(f"ligand_index={index} but {path} has {_records(len(found))}")
    if index == 0 and len(found) > 1:
        names = [each.name for each in found if isinstance(each, Ligand)][:_SHOWN]
        more = ", ..." if len(found) > len(names) else ""
        raise DataError(
            f"{path} has {_records(len(found))} ({', '.join(names)}{more}); give ligand_index, "
            "counted from 1"
        )
    ligand = found[max(index - 1, 0)]
    if isinstance(ligand, Ligand):
        return ligand
    raise ligand or DataError(f"{path}: record {index} was not read")


def ligands_of(
    path: Path, config: ComplexConfig, only: int = 0, span: Span | None = None
) -> Iterator[Ligand | DataError | None]:
    """Every record of the file, or what is wrong with it where the others can still be read.

    only: the one record that is wanted; the others may be None. span: a piece of the file.
    Raises `DataError` when the file as a whole cannot be read.
    """
    if suffix_of(path) == ".smi":
        raise DataError(
            f"{path}: a SMILES has no pose; give a file of coordinates and the text as smiles"
        )
    report = ReadReport(path)
    reader = reader_of(path, read_config(config), report)
    if not isinstance(reader, RecordsReader):
        for atoms in reader.atoms(path, report):
            yield as_ligand(atoms, report)
            report = ReadReport(path)
        return
    empty = True
    lines, first = numbered_lines(path, config.max_bytes), 1
    if span is not None:
        lines, first = lines_of(path, span, config.max_bytes), span.record
    for found in reader.each(path, lines, first, only):
        empty = False
        if isinstance(found, tuple):
            found[1].counts.update(report.counts)
            yield as_ligand(*found)
        else:
            yield found
    if empty:
        raise DataError(f"{path}: no record of a molecule in it")


def as_ligand(atoms: Atoms, report: ReadReport) -> Ligand | DataError:
    """The ligand, or the error that it is a drawing: four atoms or more, all of them at z = 0."""
    ligand = Ligand(atoms, report)
    if len(ligand.z) >= 4 and not ligand.pos[:, 2].any():
        return DataError(
            f"{ligand.place}: ligand has no 3D coordinates (all z = 0); give a pose, not a drawing"
        )
    return ligand


def read_config(config: ComplexConfig) -> ReadConfig:
    """The settings for a ligand's file: nothing in it is water, every model is a pose."""
    return ReadConfig(
        models="all",
        altlocs=config.altlocs,
        waters="keep",
        hydrogens=config.hydrogens,
        zero_occupancy=config.zero_occupancy,
        dummies=config.dummies,
        coincident=config.coincident,
        max_bytes=config.max_bytes,
    )


def _records(count: int) -> str:
    return "1 record" if count == 1 else f"{count} records"
