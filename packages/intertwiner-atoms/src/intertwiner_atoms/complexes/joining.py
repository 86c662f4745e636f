"""A receptor and a ligand become one complex: checked against each other, cropped, counted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray

from intertwiner.errors import DataError
from intertwiner_atoms.complexes.contacts import (
    Contacts,
    contacts,
    nearest_distance,
    typical_distance,
)
from intertwiner_atoms.complexes.ligand import Ligand
from intertwiner_atoms.complexes.receptor import Receptor
from intertwiner_atoms.complexes.report import ComplexReport
from intertwiner_atoms.config import ComplexConfig
from intertwiner_atoms.elements import METALS
from intertwiner_atoms.readers.atom_names import HEAVY_ATOMS, NUCLEOTIDES
from intertwiner_atoms.readers.sites import Sites

__all__ = ["LIGAND", "PROTEIN", "ComplexArrays", "join"]

PROTEIN, LIGAND = 0, 1
"""The values of `part`."""

FAR = 12.0
SAME_PLACE = 0.5
WATER_ROOM = 2.4
BOND = 1.9
NANOMETRES = (0.10, 0.25)
_METALS = sorted(METALS)
_COVALENT = (6, 7, 8, 16)
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
    _check_sizes(receptor, ligand)
    _check_unit(receptor, ligand)
    near = contacts(ligand.pos, receptor.sites.pos, max(FAR, config.crop))
    kept = np.ones(len(receptor.sites), dtype=bool)
    if _is_far(receptor, ligand, near, config):
        report.notes.append("the ligand is far from the protein; nothing was cropped")
        return _arrays(receptor, ligand, kept, report, smiles)
    kept &= ~_own_copy(receptor, ligand, near, config, report)
    kept &= ~_displaced(receptor, near.only(kept), config, report)
    _note_clashes(receptor, ligand, near.only(kept), report)
    before = int(kept.sum())
    if config.crop:
        inside = near.only(kept).rows_within(config.crop)
        kept &= receptor.rows_of(receptor.sites.residue[inside])
    report.count("protein atoms beyond the crop left out", before - int(kept.sum()))
    if not kept.any():
        raise DataError(f"{receptor.file}: no protein atoms are left around {ligand.place}")
    return _arrays(receptor, ligand, kept, report, smiles)


def _check_sizes(receptor: Receptor, ligand: Ligand) -> None:
    ours, theirs = int((ligand.z > 1).sum()), int((receptor.sites.z > 1).sum())
    if ours > 200 and theirs < 100:
        raise DataError(
            f"{ligand.place}: ligand has {ours:,} heavy atoms, protein {theirs:,}: arguments "
            "swapped?"
        )


def _check_unit(receptor: Receptor, ligand: Ligand) -> None:
    for place, typical in (
        (receptor.file, receptor.typical_distance),
        (ligand.place, typical_distance(ligand.pos)),
    ):
        if NANOMETRES[0] <= typical <= NANOMETRES[1]:
            raise DataError(
                f"{place}: median nearest-neighbour distance {typical:.2f}: coordinates in nm? "
                "angstrom expected; multiply by 10"
            )


def _is_far(receptor: Receptor, ligand: Ligand, near: Contacts, config: ComplexConfig) -> bool:
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


def _own_copy(
    receptor: Receptor,
    ligand: Ligand,
    near: Contacts,
    config: ComplexConfig,
    report: ComplexReport,
) -> Mask:
    """The atoms of the receptor's file that are the ligand once more."""
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


def _note_clashes(
    receptor: Receptor, ligand: Ligand, near: Contacts, report: ComplexReport
) -> None:
    """Notes heavy atoms nearer than a bond: one pair may be a bond, more of them are a clash."""
    sites = receptor.sites
    atoms, rows, lengths = near.pairs_within(BOND)
    heavy = (sites.z[rows] > 1) & (ligand.z[atoms] > 1)
    metal = np.isin(sites.z[rows], _METALS) | np.isin(ligand.z[atoms], _METALS)
    counted = heavy & ~metal & ~sites.water[rows]
    atoms, rows, lengths = atoms[counted], rows[counted], lengths[counted]
    if not len(rows):
        return
    atom, row = int(atoms[0]), int(rows[0])
    if len(rows) == 1 and sites.z[row] in _COVALENT and ligand.z[atom] in _COVALENT:
        report.notes.append(
            f"possible covalent ligand: {sites.label(row)} - {ligand.label(atom)}, "
            f"{lengths[0]:.2f} angstrom"
        )
        return
    some = "1 pair" if len(rows) == 1 else f"{len(rows)} pairs"
    report.notes.append(f"clash: {some} < {BOND} angstrom, closest {lengths.min():.2f} angstrom")


def _arrays(
    receptor: Receptor, ligand: Ligand, kept: Mask, report: ComplexReport, smiles: str
) -> ComplexArrays:
    sites = receptor.sites.take(kept)
    _, starts, residue = np.unique(sites.residue, return_index=True, return_inverse=True)
    names = [name.decode("latin-1").strip() for name in sites.residue_name[starts].tolist()]
    _note_residues(sites, starts.tolist(), names, report)
    ours, theirs = len(ligand.z), len(sites)
    report.atoms = ours + theirs
    return ComplexArrays(
        name=report.name,
        smiles=smiles,
        z=np.concatenate([ligand.z, sites.z]),
        pos=np.concatenate([ligand.pos, sites.pos]).astype(np.float32),
        part=np.repeat([LIGAND, PROTEIN], [ours, theirs]),
        residue=np.concatenate([np.zeros(ours, dtype=np.int64), residue.reshape(-1) + 1]),
        residue_names=[ligand.name, *names],
    )


def _note_residues(
    sites: Sites, starts: list[int], names: list[str], report: ComplexReport
) -> None:
    """Counts nucleotides, and names amino acids that lack heavy atoms."""
    report.count("nucleotides", sum(name in NUCLEOTIDES for name in names))
    sizes = np.add.reduceat((sites.z > 1).astype(np.int64), starts).tolist()
    partial = [
        (start, size, HEAVY_ATOMS[name])
        for start, size, name in zip(starts, sizes, names, strict=True)
        if size < HEAVY_ATOMS.get(name, 0)
    ]
    report.count("residues with atoms missing", len(partial))
    if partial:
        told = [f"{sites.residue_label(row)} ({n} of {all_})" for row, n, all_ in partial[:_SHOWN]]
        more = ", ..." if len(partial) > _SHOWN else ""
        report.notes.append(f"atoms missing: {', '.join(told)}{more}")
