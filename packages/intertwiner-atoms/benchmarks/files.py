"""Files for the benchmarks: a ball of residues at a protein's density, and a ligand inside it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["write_ligands", "write_protein"]

SPACING = 2.7
"""Angstrom between the atoms of a cubic lattice with a protein's 0.05 heavy atoms a cubic one."""

NAMES = ("N", "CA", "C", "O", "CB", "CG", "CD", "CE")
LIGAND_ATOMS = 28


def write_protein(path: Path, atoms: int, seed: int = 0) -> Path:
    """A PDB file of `atoms` heavy atoms around an empty place for the ligand."""
    random = np.random.default_rng(seed)
    places = _ball(atoms + 60)
    places = places[np.linalg.norm(places, axis=1) > 5.0][:atoms]
    places += random.uniform(-0.3, 0.3, places.shape)
    rows = []
    for index, (x, y, z) in enumerate(places[_by_residue(places)].tolist()):
        name = NAMES[index % len(NAMES)]
        rows.append(
            f"ATOM  {(index + 1) % 100000:5d}  {name:<3} LYS A{index // len(NAMES) + 1:4d}    "
            f"{x:8.3f}{y:8.3f}{z:8.3f}  1.00 20.00           {name[0]}\n"
        )
    path.write_text("".join(rows) + "END\n")
    return path


def write_ligands(path: Path, poses: int = 1, seed: int = 1) -> Path:
    """An SDF file of a chain of atoms near the origin, displaced a little in every record."""
    random = np.random.default_rng(seed)
    chain = _ball(LIGAND_ATOMS) * (1.5 / SPACING)
    text = ""
    for pose in range(poses):
        places = chain + random.uniform(-0.1, 0.1, chain.shape)
        rows = "".join(f"{x:10.4f}{y:10.4f}{z:10.4f} C   0  0\n" for x, y, z in places.tolist())
        head = f"pose {pose}\n{' ' * 20}3D\n\n{LIGAND_ATOMS:3d}  0  0  0  0  0  0  0  0  0999 V2000"
        text += f"{head}\n{rows}M  END\n$$$$\n"
    path.write_text(text)
    return path


def _ball(atoms: int) -> NDArray[np.float64]:
    """The `atoms` points of a lattice nearest to the origin, by distance."""
    half = int(np.ceil((3 * atoms / (4 * np.pi)) ** (1 / 3))) + 2
    axis = SPACING * np.arange(-half, half + 1)
    points = np.stack(np.meshgrid(axis, axis, axis), axis=-1).reshape(-1, 3)
    nearest = np.argsort(np.linalg.norm(points, axis=1), kind="stable")[:atoms]
    return np.array(points[nearest], dtype=np.float64)


def _by_residue(places: NDArray[np.float64]) -> NDArray[np.int64]:
    """An order in which atoms that follow each other are near each other: blocks, then columns."""
    blocks = np.floor(places / (2 * SPACING)).astype(np.int64)
    return np.lexsort((*places.T, *blocks.T))
