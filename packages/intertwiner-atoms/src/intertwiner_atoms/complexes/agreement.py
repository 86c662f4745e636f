"""Whether a protein and a ligand belong together: unit, frame, order, and not there twice."""

from __future__ import annotations

from typing import Final

import numpy as np
from jaxtyping import Bool, Int
from numpy.typing import NDArray

from intertwiner.errors import DataError
from intertwiner_atoms.complexes.contacts import Contacts, nearest_distance, typical_distance
from intertwiner_atoms.complexes.ligand import Ligand
from intertwiner_atoms.complexes.receptor import Receptor
from intertwiner_atoms.complexes.report import ComplexReport
from intertwiner_atoms.config import ComplexConfig

__all__ = ["FAR", "check_sizes", "check_unit", "is_far", "own_copy"]

FAR: Final = 12.0
"""Angstrom; a ligand farther away is in another frame."""

SAME_PLACE: Final = 0.5
"""Angstrom; atoms nearer than this are one and the same."""

NANOMETRES: Final = (0.10, 0.25)
"""Distances between neighbours, in a file's unit, that are too short for angstrom."""

Mask = Bool[NDArray[np.bool_], " atoms"]


def check_sizes(receptor: Receptor, ligand: Ligand) -> None:
    """Raises `DataError` when the ligand is large and the protein small: swapped files."""
    ours, theirs = int((ligand.z > 1).sum()), int((receptor.sites.z > 1).sum())
    if ours > 200 and theirs < 100:
        raise DataError(
            f"{ligand.place}: ligand has {ours:,} heavy atoms, protein {theirs:,}: arguments "
            "swapped?"
        )


def check_unit(receptor: Receptor, ligand: Ligand) -> None:
    """Raises `DataError` when neighbours are as near as in nanometres."""
    for place, typical in (
        (receptor.file, receptor.typical_distance),
        (ligand.place, typical_distance(ligand.pos)),
    ):
        if NANOMETRES[0] <= typical <= NANOMETRES[1]:
            raise DataError(
                f"{place}: median nearest-neighbour distance {typical:.2f}: coordinates in nm? "
                "angstrom expected; multiply by 10"
            )


def is_far(receptor: Receptor, ligand: Ligand, near: Contacts, config: ComplexConfig) -> bool:
    """Whether the ligand is away from the protein. Raises `DataError` unless that is allowed."""
    solid = ~receptor.sites.water
    solid = solid if solid.any() else ~solid
    if near.only(solid).nearest <= FAR:
        return False
    if not config.allow_far:
        nearest = nearest_distance(ligand.pos, receptor.sites.pos[solid])
        raise DataError(
            f"{ligand.place}: nearest protein-ligand distance {nearest:.1f} angstrom to "
            f"{receptor.file}: different coordinate frames? allow_far=true takes it as it is"
        )
    return True


def own_copy(
    receptor: Receptor,
    ligand: Ligand,
    near: Contacts,
    config: ComplexConfig,
    report: ComplexReport,
) -> Mask:
    """The atoms of the receptor's file that are the ligand once more, where they may be removed.

    Raises `DataError` naming their residue where they may not.
    """
    solid = near.only(~receptor.sites.water)
    copy = np.zeros(len(receptor.sites), dtype=bool)
    if config.exclude_ligand:
        copy = _residues_mostly(receptor, solid.rows_within(SAME_PLACE))
        report.count("atoms of the ligand's copy in the protein's file removed", int(copy.sum()))
        if not copy.any():
            report.notes.append("exclude_ligand: no copy of the ligand in the protein's file")
        solid = solid.only(~copy)
    atoms, rows, _ = solid.pairs_within(SAME_PLACE)
    shared = len(np.unique(atoms))
    if shared >= 3 or shared >= 0.3 * len(ligand.z):
        raise DataError(
            f"{ligand.place}: {shared} ligand atoms coincide with {_kind(receptor, rows)} of "
            f"{receptor.file}: the ligand is still inside the protein file; remove it or set "
            "exclude_ligand=true"
        )
    return copy


def _residues_mostly(receptor: Receptor, rows: Int[NDArray[np.int64], " rows"]) -> Mask:
    """All atoms of the residues of which at least half of the heavy atoms are among `rows`."""
    residue, heavy = receptor.sites.residue, receptor.sites.z > 1
    size = int(residue[-1]) + 1
    among = np.bincount(residue[rows], minlength=size)
    whole = np.bincount(residue[heavy], minlength=size)
    return receptor.rows_of(np.flatnonzero((among > 0) & (2 * among >= whole)))


def _kind(receptor: Receptor, rows: Int[NDArray[np.int64], " rows"]) -> str:
    """The residue that most of these atoms belong to: "HETATM A/LIG 301"."""
    numbers, times = np.unique(receptor.sites.residue[rows], return_counts=True)
    row = int(np.argmax(receptor.sites.residue == numbers[np.argmax(times)]))
    record = "HETATM" if receptor.sites.hetero[row] else "ATOM"
    return f"{record} {receptor.sites.residue_label(row)}"
