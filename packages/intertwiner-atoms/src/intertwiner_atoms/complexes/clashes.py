"""Heavy atoms of protein and ligand that are nearer than they can be without a bond."""

from __future__ import annotations

from typing import Final

import numpy as np

from intertwiner_atoms.complexes.contacts import Contacts
from intertwiner_atoms.complexes.ligand import Ligand
from intertwiner_atoms.complexes.receptor import Receptor
from intertwiner_atoms.complexes.report import ComplexReport
from intertwiner_atoms.elements import METALS

__all__ = ["BOND", "note_clashes"]

BOND: Final = 1.9
"""Angstrom; C, N, O and S that are nearer are bonded, or clash."""

_METALS: Final = sorted(METALS)
_COVALENT: Final = (6, 7, 8, 16)


def note_clashes(receptor: Receptor, ligand: Ligand, near: Contacts, report: ComplexReport) -> None:
    """Notes heavy atoms nearer than a bond: one pair may be a bond, more of them are a clash."""
    sites = receptor.sites
    atoms, rows, lengths = near.pairs_within(BOND)
    if not len(rows):
        return
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
