"""The data set as a dictionary of arrays; the one place that fixes names, units and dtypes.

M molecules, A atoms of all of them one after another. Names carry the unit of a stored integer:
``positions_0p0005A`` counts steps of 0.0005 angstrom.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .compute import Molecule
from .labels import FloatArray, Labels
from .splits import formula_split, random_split, size_split

Arrays = dict[str, NDArray[Any]]
MULTIPOLE_COMPONENTS = ((0, 0), (0, 1), (1, 1), (0, 2), (1, 2), (2, 2))
"""xx xy yy xz yz zz, the order of tblite's quadrupole."""
_FORCE_STEP_EV_PER_A = 1e-3
_CHARGE_STEP_E = 1e-4

DESCRIPTIONS = {
    "smiles": "ASCII bytes [M]: canonical SMILES, hydrogens implicit, no stereochemistry",
    "n_atoms": "uint8 [M]: atoms per molecule, hydrogens included",
    "z": "uint8 [A]: atomic numbers",
    "positions_0p0005A": "int16 [A, 3]: relaxed geometry in 0.0005 angstrom, mean of atoms at 0",
    "energy_eV": "float64 [M]: GFN2-xTB total energy, rounded to 1e-6 eV",
    "forces_meV_A": "int16 [A, 3]: forces in 0.001 eV/angstrom",
    "charges_0p0001e": "int16 [A]: Mulliken charges in 0.0001 e",
    "dipole_D": "float32 [M, 3]: debye",
    "quadrupole_au": "float32 [M, 6]: traceless, e bohr^2, about the origin; xx xy yy xz yz zz",
    "homo_eV": "float32 [M]: highest occupied level",
    "lumo_eV": "float32 [M]: lowest unoccupied level; the gap is lumo - homo",
    "polarizability_bohr3": "float32 [M, 6]: symmetric tensor in bohr^3; xx xy yy xz yz zz",
    "displaced_positions_0p0005A": "int16 [A, 3]: relaxed geometry plus Gaussian noise",
    "displaced_energy_eV": "float64 [M]: as energy_eV, at the displaced geometry",
    "displaced_forces_meV_A": "int16 [A, 3]: as forces_meV_A, at the displaced geometry",
    "displaced_dipole_D": "float32 [M, 3]: as dipole_D, at the displaced geometry",
    "split_random": "uint8 [M]: 0 train, 1 validation, 2 test; by SHA-256 of the SMILES",
    "split_formula": "uint8 [M]: as split_random, isomers on one side",
    "split_size": "uint8 [M]: train and validation up to six heavy atoms, test seven",
}


def row(molecule: Molecule) -> Arrays:
    """Return what the data set stores of one molecule: n rows per atom array, one per other array.

    Real-valued labels are rounded to well below their own accuracy, which lets the file compress
    and hides the last digits in which two processors may differ.
    """
    return {
        "smiles": np.array([molecule.smiles.encode()]),
        "n_atoms": np.array([len(molecule.numbers)], dtype=np.uint8),
        "z": molecule.numbers.astype(np.uint8),
        "positions_0p0005A": molecule.positions,
        **_mechanical(molecule.labels),
        "charges_0p0001e": _steps(molecule.labels.charges_e, _CHARGE_STEP_E),
        "quadrupole_au": _float32(molecule.labels.quadrupole_au, 5),
        "homo_eV": _float32(np.array(molecule.labels.homo_eV), 5),
        "lumo_eV": _float32(np.array(molecule.labels.lumo_eV), 5),
        "polarizability_bohr3": _float32(_six_components(molecule.polarizability_bohr3), 3),
        "displaced_positions_0p0005A": molecule.displaced_positions,
        **{f"displaced_{k}": v for k, v in _mechanical(molecule.displaced_labels).items()},
    }


def stacked(rows: Sequence[Arrays]) -> Arrays:
    """Join the rows of all molecules and add the splits."""
    arrays = {key: np.concatenate([single[key] for single in rows]) for key in rows[0]}
    smiles = [text.decode() for text in arrays["smiles"]]
    splits: dict[str, Callable[[Sequence[str]], NDArray[np.uint8]]] = {
        "split_random": random_split,
        "split_formula": formula_split,
        "split_size": size_split,
    }
    return arrays | {key: split(smiles) for key, split in splits.items()}


def _mechanical(labels: Labels) -> Arrays:
    """Return the labels that relaxed and displaced geometries share."""
    return {
        "energy_eV": np.round([labels.energy_eV], 6),
        "forces_meV_A": _steps(labels.forces_eV_per_A, _FORCE_STEP_EV_PER_A),
        "dipole_D": _float32(labels.dipole_D, 5),
    }


def _steps(values: FloatArray, step: float) -> NDArray[np.int16]:
    return np.rint(values / step).astype(np.int16)


def _float32(values: FloatArray, decimals: int) -> NDArray[np.float32]:
    """Round, add the molecule axis, and turn -0.0 into 0.0 so that equal values are equal bytes."""
    return (np.round(values, decimals) + 0.0).astype(np.float32)[None]


def _six_components(tensor: FloatArray) -> FloatArray:
    rows, columns = zip(*MULTIPOLE_COMPONENTS, strict=True)
    return tensor[list(rows), list(columns)]
