"""Reading with all checks against the loop over a parser's atoms that one writes otherwise.

The checks cost about a millisecond for every file however small, so a pocket is read faster by
the loop; a whole protein is not. No row of a pocket is required to hold.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import gemmi
import numpy as np
from files import write_ligands, write_protein
from numpy.typing import NDArray
from rdkit import Chem
from scipy.spatial import cKDTree

from intertwiner.benchmark import Row, compare, main
from intertwiner_atoms import read_complex, read_poses, read_receptor

CUTOFF = 12.0
NEAREST = 12


def loop(path: Path) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """(places, atomic numbers) of a PDB file, one Python step for every atom."""
    places, numbers = [], []
    for chain in gemmi.read_pdb(str(path))[0]:
        for residue in chain:
            for atom in residue:
                places.append(atom.pos.tolist())
                numbers.append(atom.element.atomic_number)
    return np.array(places), np.array(numbers)


def loop_complex(protein: Path, ligand: Path) -> NDArray[np.float64]:
    """Both files by their parsers; the atoms of the protein near the ligand, nothing checked."""
    places, _ = loop(protein)
    molecule = next(iter(Chem.SDMolSupplier(str(ligand), sanitize=False, removeHs=False)))
    ours = np.asarray(molecule.GetConformer().GetPositions())
    near = np.linalg.norm(places[:, None] - ours, axis=2).min(axis=1) < CUTOFF
    return np.concatenate([ours, places[near]])


def lists(protein: Path, ligand: Path) -> list[NDArray[np.int64]]:
    """Files to the 12 nearest of every atom: in the complex, in the protein, in the ligand."""
    record, _ = read_complex(protein, ligand)
    places, part = record.pos.double().numpy(), record.part.numpy()
    return [_nearest(places), _nearest(places[part == 0]), _nearest(places[part == 1])]


def loop_lists(protein: Path, ligand: Path) -> list[NDArray[np.int64]]:
    """The same from the loop, for the whole protein."""
    places, _ = loop(protein)
    molecule = next(iter(Chem.SDMolSupplier(str(ligand), sanitize=False, removeHs=False)))
    ours = np.asarray(molecule.GetConformer().GetPositions())
    return [_nearest(np.concatenate([ours, places])), _nearest(places), _nearest(ours)]


def _nearest(places: NDArray[np.float64]) -> NDArray[np.int64]:
    found: NDArray[np.int64] = cKDTree(places).query(places, k=NEAREST + 1)[1]
    return found


def measure(repeats: int) -> Iterator[Row]:
    """The rows: text to arrays, files to a complex, files to lists, and docked poses."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ligand = write_ligands(folder / "ligand.sdf")
        for atoms, what, required in (
            (400, "pocket of 400", None),
            (3500, "protein of 3,500", 1.0),
        ):
            protein = write_protein(folder / f"{atoms}.pdb", atoms)
            yield from _rows(what, protein, ligand, repeats, required)
        poses = write_ligands(folder / "poses.sdf", poses=64)
        yield compare(
            "64 poses in a protein of 3,500: all complexes",
            lambda: read_poses(protein, poses),
            lambda: [read_complex(protein, poses, ligand_index=n) for n in range(1, 65)],
            against="each from its files",
            repeats=max(3, repeats // 3),
            required=1.0,
        )


def _rows(
    what: str, protein: Path, ligand: Path, repeats: int, required: float | None
) -> Iterator[Row]:
    yield compare(
        f"{what} atoms: PDB text to checked columns",
        lambda: read_receptor(protein),
        lambda: loop(protein),
        against="a loop over gemmi's atoms",
        repeats=repeats,
        required=required,
    )
    yield compare(
        f"{what} atoms: files to a checked complex",
        lambda: read_complex(protein, ligand),
        lambda: loop_complex(protein, ligand),
        against="the loop, RDKit, no checks",
        repeats=repeats,
        required=required,
    )
    yield compare(
        f"{what} atoms: files to the 12 nearest of all",
        lambda: lists(protein, ligand),
        lambda: loop_lists(protein, ligand),
        against="the same without crop",
        repeats=repeats,
    )


if __name__ == "__main__":
    main(__doc__ or "", measure)
