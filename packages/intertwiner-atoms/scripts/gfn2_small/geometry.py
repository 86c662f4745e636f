"""From a SMILES to stored coordinates: embedding, relaxation, rotation, rounding, displacement.

Coordinates are ``float64 [atoms, 3]`` in angstrom; stored coordinates are ``int16 [atoms, 3]`` in
steps of ``Recipe.position_step_A``.
"""

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem import rdDistGeom, rdForceFieldHelpers
from scipy.optimize import minimize  # type: ignore[import-untyped]
from scipy.spatial.transform import Rotation  # type: ignore[import-untyped]

from .labels import Engine
from .recipe import Recipe, keyed_hash

Positions = NDArray[np.float64]
QuantisedPositions = NDArray[np.int16]
_MOST_EMBEDDING_ATTEMPTS = 100
_MOST_OPTIMISER_STEPS = 500
_FORCE_FIELD_STEPS = 500


class Rejected(Exception):
    """A molecule that cannot enter the data set; the message is the reason that is counted."""


def embedded(molecule: Chem.Mol, seed: int) -> Positions:
    """Return an ETKDG geometry in angstrom, refined by MMFF, or by UFF where MMFF has no types.

    ``molecule`` carries explicit hydrogens and receives the conformer.
    """
    parameters = rdDistGeom.ETKDGv3()
    # RDKit's stub gives these integer fields the type of the whole record.
    parameters.randomSeed = seed  # type: ignore[assignment]
    parameters.maxIterations = _MOST_EMBEDDING_ATTEMPTS  # type: ignore[assignment]
    if rdDistGeom.EmbedMolecule(molecule, parameters) < 0:
        raise Rejected("not embedded")
    if rdForceFieldHelpers.MMFFHasAllMoleculeParams(molecule):
        rdForceFieldHelpers.MMFFOptimizeMolecule(molecule, maxIters=_FORCE_FIELD_STEPS)
    else:
        rdForceFieldHelpers.UFFOptimizeMolecule(molecule, maxIters=_FORCE_FIELD_STEPS)
    return np.asarray(molecule.GetConformer().GetPositions(), dtype=np.float64)


def relaxed(engine: Engine, positions: Positions, largest_gradient_eV_per_A: float) -> Positions:
    """Minimise the GFN2-xTB energy by L-BFGS; positions in and out in angstrom."""

    def energy_and_gradient(flat: Positions) -> tuple[float, Positions]:
        energy, gradient = engine.energy_and_gradient(flat.reshape(-1, 3))
        return energy, gradient.ravel()

    result = minimize(
        energy_and_gradient,
        positions.ravel(),
        jac=True,
        method="L-BFGS-B",
        options={
            "gtol": largest_gradient_eV_per_A,
            "ftol": 0.0,
            "maxiter": _MOST_OPTIMISER_STEPS,
            "maxfun": 2 * _MOST_OPTIMISER_STEPS,
        },
    )
    if np.abs(result.jac).max() > largest_gradient_eV_per_A:
        raise Rejected("optimisation not converged")
    return np.asarray(result.x, dtype=np.float64).reshape(-1, 3)


def turned(recipe: Recipe, smiles: str, positions: Positions) -> Positions:
    """Rotate by a random rotation that is fixed by the molecule.

    Embedding leaves the longest axis along x; a model that knows no rotations could learn that.
    """
    generator = np.random.default_rng(keyed_hash(recipe.seed, "orientation", smiles))
    return np.asarray(Rotation.from_quat(generator.standard_normal(4)).apply(positions))


def quantised(positions: Positions, step: float) -> QuantisedPositions:
    """Centre on the mean of the atoms and round to whole steps; both in the same unit."""
    steps = np.rint((positions - positions.mean(axis=0)) / step)
    if np.abs(steps).max() > np.iinfo(np.int16).max:
        raise Rejected("coordinates too large")
    return np.asarray(steps, dtype=np.int16)


def dequantised(stored: QuantisedPositions, step: float) -> Positions:
    """Return stored coordinates in the unit of ``step``."""
    return stored.astype(np.float64) * step


def keeps_its_bonds(molecule: Chem.Mol, positions: Positions, factor: float) -> bool:
    """Tell whether atoms are close (angstrom) exactly where the molecule has bonds.

    Close is nearer than ``factor`` times the sum of the covalent radii.
    """
    table = Chem.GetPeriodicTable()
    radii = np.array([table.GetRcovalent(atom.GetAtomicNum()) for atom in molecule.GetAtoms()])
    distances = np.linalg.norm(positions[:, None] - positions[None, :], axis=-1)
    bonded = distances < factor * (radii[:, None] + radii[None, :])
    np.fill_diagonal(bonded, False)
    return bool((bonded == Chem.GetAdjacencyMatrix(molecule).astype(bool)).all())


def displaced(recipe: Recipe, smiles: str, positions: Positions) -> Positions:
    """Add independent Gaussian noise; its width is drawn once per molecule. Angstrom.

    The generator is seeded by the molecule, so the noise does not depend on what ran before.
    """
    generator = np.random.default_rng(keyed_hash(recipe.seed, "displacement", smiles))
    sigma = generator.uniform(*recipe.displacement_sigma_A)
    return positions + sigma * generator.standard_normal(positions.shape)
