"""Settings of the readers, the adapter and the datasets of this plugin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge

from intertwiner.config import DataConfig

__all__ = [
    "ComplexConfig",
    "ConformerConfig",
    "Gfn2SmallConfig",
    "NpzConfig",
    "Qm7Config",
    "Qm9Config",
    "ReadConfig",
    "SmilesConfig",
]

MIB = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class ReadConfig:
    """What a reader of structure files does with what is not a plain atom; all of it is counted.

    models: the first model of a PDB, mmCIF or PDBQT file, all, or an error when there are more.
    altlocs: of an atom's alternate places keep the one of highest occupancy, or stop.
    waters, metals, hydrogens: kept or dropped.
    zero_occupancy: atoms that were placed without being seen: kept, dropped, or an error.
    dummies: sites that are no atoms (X, Du, Lp, *): an error, or dropped.
    flat: a molecule drawn in the plane (2D SDF): an error, or kept.
    coincident: two atoms in one place: an error, or kept.
    max_bytes: larger files are refused before they are read.
    """

    models: Literal["first", "all", "stop"] = "first"
    altlocs: Literal["highest", "stop"] = "highest"
    waters: Literal["keep", "drop"] = "drop"
    metals: Literal["keep", "drop"] = "keep"
    hydrogens: Literal["keep", "drop"] = "keep"
    zero_occupancy: Literal["keep", "drop", "stop"] = "keep"
    dummies: Literal["stop", "drop"] = "stop"
    flat: Literal["stop", "keep"] = "stop"
    coincident: Literal["stop", "keep"] = "stop"
    max_bytes: Annotated[int, Ge(1)] = 512 * MIB


@dataclass(frozen=True, kw_only=True)
class ComplexConfig:
    """What becomes of a protein and a ligand when they are read as one complex.

    waters: those with an atom nearer than 2.4 angstrom to the ligand make room for it
    (`displace`), all of them are kept, or none.
    hydrogens, metals, altlocs, zero_occupancy, dummies, coincident: as in `ReadConfig`.
    model: which model of the protein's file, from 1.
    ligand_index: which record of the ligand's file, from 1; 0 when it must be the only one.
    exclude_ligand: take the ligand's own copy out of the protein's file; otherwise an error.
    allow_far: keep a ligand more than 12 angstrom away from the protein; otherwise an error.
    derive_smiles: write the SMILES of a ligand from the bonds of its SDF or MOL2 record; where
    its chemistry cannot be, that is noted and the SMILES is empty.
    crop: residues with an atom within so many angstrom of the ligand are kept; 0 keeps all.
    max_bytes: larger files are refused before they are read.
    """

    hydrogens: Literal["keep", "drop"] = "drop"
    waters: Literal["displace", "keep", "drop"] = "displace"
    metals: Literal["keep", "drop"] = "keep"
    altlocs: Literal["highest", "stop"] = "highest"
    zero_occupancy: Literal["keep", "drop", "stop"] = "keep"
    dummies: Literal["stop", "drop"] = "drop"
    coincident: Literal["stop", "keep"] = "stop"
    model: Annotated[int, Ge(1)] = 1
    ligand_index: Annotated[int, Ge(0)] = 0
    exclude_ligand: bool = False
    allow_far: bool = False
    derive_smiles: bool = False
    crop: Annotated[float, Ge(0)] = 12.0
    max_bytes: Annotated[int, Ge(1)] = 512 * MIB


@dataclass(frozen=True, kw_only=True)
class SmilesConfig:
    """How a `.smi` file is read.

    invalid: a row that is empty or that RDKit cannot read is an error, or skipped and counted.
    duplicates: rows that name a molecule seen before are kept, or skipped and counted.
    """

    invalid: Literal["stop", "skip"] = "stop"
    duplicates: Literal["keep", "skip"] = "keep"
    max_bytes: Annotated[int, Ge(1)] = 512 * MIB


@dataclass(frozen=True, kw_only=True)
class ConformerConfig:
    """How coordinates are made from bonds.

    relax: relax the embedded geometry with MMFF94 (UFF where MMFF has no parameters), or not.
    iterations: most steps of that relaxation.
    attempts: how often the embedding is tried from other random coordinates.
    """

    relax: bool = True
    iterations: Annotated[int, Ge(1)] = 500
    attempts: Annotated[int, Ge(1)] = 10


@dataclass(frozen=True, kw_only=True)
class Gfn2SmallConfig(DataConfig):
    """geometry: relaxed molecules, the same displaced at random, or both as separate records."""

    geometry: Literal["equilibrium", "displaced", "both"] = "equilibrium"


@dataclass(frozen=True, kw_only=True)
class Qm7Config(DataConfig):
    """fold: which of the five published folds is the test set; the next one is for validation."""

    fold: Annotated[int, Ge(0)] = 0


@dataclass(frozen=True, kw_only=True)
class Qm9Config(DataConfig):
    """How QM9 is used.

    atom_reference: subtract the free atoms' values (the dataset's own `atomref.txt`) from U0, U,
    H and G; ZPVE and Cv are never changed.
    uncharacterized: drop or keep the 3,054 molecules whose geometry failed the consistency check.
    """

    atom_reference: bool = True
    uncharacterized: Literal["drop", "keep"] = "drop"


@dataclass(frozen=True, kw_only=True)
class NpzConfig(DataConfig):
    """path: a npz file of molecules (see `intertwiner_atoms.datasets.npz_molecules`)."""

    path: str = ""
