"""From files: merged neighbour lists, one score, and the scores of 64 poses.

`python benchmarks/from_files.py [--json] [--repeats N] [--threads N]`. What is asked for is a
time, and stands in the name of the row; the other side shows what a part of the work costs
otherwise.
Needs `intertwiner-atoms`.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import gemmi
import numpy as np
from numpy.typing import NDArray
from rdkit import Chem
from scipy.spatial import cKDTree

from intertwiner.benchmark import Row, compare, main
from intertwiner_atomic_conv.graphs.interface import Reach, interface_graph
from intertwiner_atomic_conv.scoring import Scorer, score
from intertwiner_atoms import read_complex

POSES, LIGAND = 64, 28
SPACING = 2.7
"""Angstrom between atoms of a lattice with 0.05 of them a cubic angstrom, as in proteins."""
ELEMENTS = ("N", "C", "C", "O", "C", "C")
NEAREST = 12


def write_protein(path: Path, atoms: int) -> Path:
    """A ball of residues around an empty place."""
    axis = SPACING * np.arange(-14, 15)
    grid = np.stack(np.meshgrid(axis, axis, axis), -1).reshape(-1, 3)
    far = np.linalg.norm(grid, axis=1)
    grid = grid[np.argsort(np.where(far < 5.0, np.inf, far), kind="stable")][:atoms]
    grid = grid + np.random.default_rng(0).uniform(-0.3, 0.3, grid.shape)
    rows = []
    for number, (x, y, z) in enumerate(grid[np.lexsort(grid.T)].tolist()):
        element = ELEMENTS[number % len(ELEMENTS)]
        rows.append(
            f"ATOM  {number + 1:5d}  {element:<3} LYS A{number // len(ELEMENTS) + 1:4d}    "
            f"{x:8.3f}{y:8.3f}{z:8.3f}  1.00  0.00          {element:>2}\n"
        )
    path.write_text("".join(rows) + "END\n")
    return path


def write_poses(path: Path, poses: int) -> Path:
    """A chain inside the empty place, a little different in every record."""
    random, steps = np.random.default_rng(1), np.arange(LIGAND)
    chain = np.stack([1.6 * (steps % 4) - 2.4, 1.6 * (steps // 4 % 4) - 2.4, steps // 16 * 1.6], 1)
    text = ""
    for number in range(poses):
        x = chain + random.uniform(-0.1, 0.1, chain.shape)
        rows = "".join(f"{a:10.4f}{b:10.4f}{c:10.4f} C   0  0\n" for a, b, c in x.tolist())
        head = f"pose {number}\n{' ' * 20}3D\n\n{LIGAND:3d}  0  0  0  0  0  0  0  0  0999 V2000"
        text += f"{head}\n{rows}M  END\n$$$$\n"
    path.write_text(text)
    return path


def merged(protein: Path, ligand: Path) -> object:
    """Files to the merged lists of the changed atoms."""
    record, _ = read_complex(protein, ligand)
    arrays = record.pos.double().numpy(), record.z.numpy(), record.part.numpy()
    return interface_graph(*arrays, Reach("knn", NEAREST, 12.0))


def parsed(protein: Path, ligand: Path) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Positions alone, by a loop over gemmi's atoms and by RDKit, nothing checked."""
    model = gemmi.read_pdb(str(protein))[0]
    places = [atom.pos.tolist() for chain in model for residue in chain for atom in residue]
    molecule = next(iter(Chem.SDMolSupplier(str(ligand), sanitize=False, removeHs=False)))
    return np.array(places), np.asarray(molecule.GetConformer().GetPositions())


def all_lists(protein: Path, ligand: Path) -> list[NDArray[np.int64]]:
    """The nearest of every atom in the complex and in its parts, as by `parsed`."""
    pocket, pose = parsed(protein, ligand)
    systems = np.concatenate([pose, pocket]), pocket, pose
    return [cKDTree(x).query(x, k=NEAREST + 1)[1] for x in systems]


def rescored(protein: Path, ligand: Path) -> object:
    """A score with no file remembered."""
    os.utime(protein)
    return score(protein, ligand)


def measure(repeats: int) -> Iterator[Row]:
    """Four rows."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ligand, poses = write_poses(folder / "one.sdf", 1), write_poses(folder / "all.sdf", POSES)
        pocket, protein = (write_protein(folder / f"{n}.pdb", n) for n in (400, 3500))
        yield _lists("pocket of 400 (asked: 5 ms)", pocket, ligand, repeats)
        yield _lists("protein of 3,500 (asked: 15 ms)", protein, ligand, repeats)
        yield compare(
            "a score from files, protein of 3,500 (asked: 25 ms)",
            lambda: rescored(protein, ligand),
            lambda: parsed(protein, ligand),
            against="gemmi's and RDKit's atoms alone",
            repeats=repeats,
        )
        scorer = Scorer(protein)
        yield compare(
            f"{POSES} poses of a file, protein prepared (asked: {1.5 * POSES:.0f} ms)",
            lambda: scorer(poses),
            lambda: [rescored(protein, ligand) for _ in range(POSES)],
            against="each from its files",
            repeats=max(3, repeats // 3),
        )


def _lists(what: str, protein: Path, ligand: Path, repeats: int) -> Row:
    return compare(
        f"files to merged lists, {what}",
        lambda: merged(protein, ligand),
        lambda: all_lists(protein, ligand),
        against="gemmi's and RDKit's atoms, lists of all",
        repeats=repeats,
    )


if __name__ == "__main__":
    main(__doc__ or "", measure)
