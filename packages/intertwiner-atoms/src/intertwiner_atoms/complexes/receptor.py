"""A protein (or nucleic acid), read once for any number of ligands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray

from intertwiner.errors import DataError
from intertwiner_atoms.complexes.contacts import typical_distance
from intertwiner_atoms.config import ComplexConfig, ReadConfig
from intertwiner_atoms.readers.any_file import reader_of
from intertwiner_atoms.readers.atom_names import HEAVY_ATOMS, NUCLEOTIDES
from intertwiner_atoms.readers.macromolecule import MacromoleculeReader
from intertwiner_atoms.readers.report import ReadReport
from intertwiner_atoms.readers.sites import Sites
from intertwiner_atoms.readers.validation import checked

__all__ = ["Receptor", "read_receptor"]


@dataclass(frozen=True)
class Receptor:
    """The atoms of one model that policy keeps, every one checked, and the file's report."""

    file: Path
    sites: Sites
    report: ReadReport

    @cached_property
    def typical_distance(self) -> float:
        """The median distance between neighbouring atoms, in the file's unit."""
        return typical_distance(self.sites.pos)

    @cached_property
    def axes(self) -> Float[NDArray[np.float64], "3 atoms"]:
        """Places by axis, each in one piece of memory."""
        return np.ascontiguousarray(self.sites.pos.T)

    @cached_property
    def residue_names(self) -> list[str]:
        """The name of every residue."""
        names = self.sites.residue_name[self._starts].tolist()
        return [name.decode("latin-1").strip() for name in names]

    @cached_property
    def nucleotides(self) -> frozenset[int]:
        """The residues that are nucleotides."""
        return frozenset(n for n, name in enumerate(self.residue_names) if name in NUCLEOTIDES)

    @cached_property
    def partial(self) -> Mapping[int, str]:
        """Amino acids that lack heavy atoms: "A/LYS 17 (5 of 9)"."""
        heavy = (self.sites.z > 1).astype(np.int64)
        sizes = np.add.reduceat(heavy, self._starts).tolist()
        starts = self._starts.tolist()
        return {
            number: f"{self.sites.residue_label(starts[number])} ({size} of {HEAVY_ATOMS[name]})"
            for number, (name, size) in enumerate(zip(self.residue_names, sizes, strict=True))
            if size < HEAVY_ATOMS.get(name, 0)
        }

    @cached_property
    def _starts(self) -> Int[NDArray[np.int64], " residues"]:
        """The first atom of every residue."""
        return np.searchsorted(self.sites.residue, np.arange(self.sites.residue[-1] + 1))

    def rows_of(
        self, residues: Int[NDArray[np.int64], " residues"]
    ) -> Bool[NDArray[np.bool_], " atoms"]:
        """Which atoms belong to the residues of these running numbers."""
        wanted = np.zeros(int(self.sites.residue[-1]) + 1, dtype=bool)
        wanted[residues] = True
        return wanted[self.sites.residue]


def read_receptor(path: Path | str, config: ComplexConfig | None = None) -> Receptor:
    """The macromolecule in a PDB, mmCIF or PDBQT file.

    Raises `DataError` naming file, atom, value and remedy, as all readers do.
    """
    path, config = Path(path), config or ComplexConfig()
    report = ReadReport(path)
    reader = reader_of(path, _as_read_config(config), report)
    if not isinstance(reader, MacromoleculeReader):
        raise DataError(
            f"{path}: not a file of a protein; give PDB, mmCIF or PDBQT (were protein and ligand "
            "swapped?)"
        )
    models = reader.tables(path, report)
    if config.model > len(models):
        raise DataError(f"{path} has {len(models)} models; model={config.model} requested")
    if len(models) > 1:
        report.count(f"models, of which number {config.model} is used", len(models))
    sites = reader.chosen(path, models[config.model - 1], report)
    if len(sites) == 0:
        raise _nothing_left(path, config)
    atoms = checked(reader.raw(path, sites, ""), reader.config, report)
    kept = sites.take(atoms.kept)
    return Receptor(path, replace(kept, z=atoms.z), report)


def _nothing_left(path: Path, config: ComplexConfig) -> DataError:
    return DataError(
        f"{path}: no protein atoms left (waters={config.waters!r}, metals={config.metals!r})"
    )


def _as_read_config(config: ComplexConfig) -> ReadConfig:
    return ReadConfig(
        models="all",
        altlocs=config.altlocs,
        waters="drop" if config.waters == "drop" else "keep",
        metals=config.metals,
        hydrogens=config.hydrogens,
        zero_occupancy=config.zero_occupancy,
        dummies=config.dummies,
        coincident=config.coincident,
        max_bytes=config.max_bytes,
    )
