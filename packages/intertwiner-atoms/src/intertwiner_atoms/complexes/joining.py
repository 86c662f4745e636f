"""A receptor and a ligand become one complex: checked against each other, cropped, counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray

from intertwiner.errors import DataError
from intertwiner_atoms.complexes.agreement import FAR, check_sizes, check_unit, is_far, own_copy
from intertwiner_atoms.complexes.clashes import BOND, note_clashes
from intertwiner_atoms.complexes.contacts import Contacts, contacts
from intertwiner_atoms.complexes.ligand import Ligand
from intertwiner_atoms.complexes.receptor import Receptor
from intertwiner_atoms.complexes.report import ComplexReport
from intertwiner_atoms.config import ComplexConfig

__all__ = ["LIGAND", "PROTEIN", "ComplexArrays", "join"]

PROTEIN, LIGAND = 0, 1
"""The values of `part`."""

WATER_ROOM: Final = 2.4
"""Angstrom; a water nearer to the ligand makes room for it."""

_SHOWN = 3
Mask = Bool[NDArray[np.bool_], " atoms"]


@dataclass(frozen=True)
class ComplexArrays:
    """A complex as arrays: the ligand's atoms first, then the protein's in the file's order.

    residue: 0 for the ligand, then the protein's residues from 1; `residue_names` are theirs.
    """

    name: str
    smiles: str
    z: Int[NDArray[np.int64], " atoms"]
    pos: Float[NDArray[np.float32], "atoms 3"]
    part: Int[NDArray[np.int64], " atoms"]
    residue: Int[NDArray[np.int64], " atoms"]
    residue_names: list[str]


def join(
    receptor: Receptor,
    ligand: Ligand,
    config: ComplexConfig,
    report: ComplexReport,
    smiles: str = "",
) -> ComplexArrays:
    """The complex of both, with what was done counted in `report`.

    Raises `DataError` for a ligand in another frame, one that is still inside the protein's file,
    coordinates in nanometres, and files given in the wrong order.
    """
    check_sizes(receptor, ligand)
    check_unit(receptor, ligand)
    near = contacts(ligand.pos, receptor.axes, max(FAR, config.crop))
    kept = np.ones(len(receptor.sites), dtype=bool)
    if is_far(receptor, ligand, near, config):
        report.notes.append("the ligand is far from the protein; nothing was cropped")
        return _arrays(receptor, ligand, kept, report, smiles)
    kept &= ~own_copy(receptor, ligand, near, config, report)
    kept &= ~_displaced(receptor, near.only(kept), config, report)
    note_clashes(receptor, ligand, near.only(kept), report)
    before = int(kept.sum())
    if config.crop:
        inside = near.only(kept).rows_within(config.crop)
        kept &= receptor.rows_of(receptor.sites.residue[inside])
    report.count("protein atoms beyond the crop left out", before - int(kept.sum()))
    if not kept.any():
        raise DataError(f"{receptor.file}: no protein atoms are left around {ligand.place}")
    return _arrays(receptor, ligand, kept, report, smiles)


def _displaced(
    receptor: Receptor, near: Contacts, config: ComplexConfig, report: ComplexReport
) -> Mask:
    """The waters that make room for the ligand."""
    water = receptor.sites.water
    rows = near.only(water).rows_within(WATER_ROOM)
    residues = np.unique(receptor.sites.residue[rows])
    if config.waters != "displace":
        overlapping = near.only(water).rows_within(BOND)
        report.count("waters that overlap the ligand kept", len(overlapping))
        return np.zeros(len(water), dtype=bool)
    report.count("waters displaced", len(residues))
    return water & receptor.rows_of(residues)


def _arrays(
    receptor: Receptor, ligand: Ligand, kept: Mask, report: ComplexReport, smiles: str
) -> ComplexArrays:
    sites, rows = receptor.sites, np.flatnonzero(kept)
    old = sites.residue[rows]
    new = np.ones(len(old), dtype=bool)
    new[1:] = old[1:] != old[:-1]
    numbers = old[new].tolist()
    _note_residues(receptor, numbers, report)
    ours, theirs = len(ligand.z), len(rows)
    report.atoms = ours + theirs
    return ComplexArrays(
        name=report.name,
        smiles=smiles,
        z=np.concatenate([ligand.z, sites.z[rows]]),
        pos=np.concatenate([ligand.pos, sites.pos[rows]]).astype(np.float32),
        part=np.repeat([LIGAND, PROTEIN], [ours, theirs]),
        residue=np.concatenate([np.zeros(ours, dtype=np.int64), np.cumsum(new)]),
        residue_names=[ligand.name, *(receptor.residue_names[number] for number in numbers)],
    )


def _note_residues(receptor: Receptor, numbers: list[int], report: ComplexReport) -> None:
    """Counts nucleotides, and names amino acids that lack heavy atoms. Residues are kept whole."""
    report.count("nucleotides", len(receptor.nucleotides.intersection(numbers)))
    partial = [number for number in numbers if number in receptor.partial]
    report.count("residues with atoms missing", len(partial))
    if partial:
        told = [receptor.partial[number] for number in partial[:_SHOWN]]
        more = ", ..." if len(partial) > _SHOWN else ""
        report.notes.append(f"atoms missing: {', '.join(told)}{more}")
