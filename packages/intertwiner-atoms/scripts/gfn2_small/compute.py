"""One candidate in, one record or one reason for its absence out."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem
from tblite.exceptions import TBLiteRuntimeError

from .geometry import (
    QuantisedPositions,
    Rejected,
    dequantised,
    displaced,
    embedded,
    keeps_its_bonds,
    quantised,
    relaxed,
    turned,
)
from .labels import Engine, FloatArray, Labels
from .recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class Molecule:
    """A finished molecule of n atoms, labels computed at exactly the stored coordinates."""

    smiles: str
    numbers: NDArray[np.int64]
    """[n] atomic numbers"""
    positions: QuantisedPositions
    """[n, 3] in steps of ``Recipe.position_step_A``"""
    labels: Labels
    polarizability_bohr3: FloatArray
    """[3, 3]"""
    displaced_positions: QuantisedPositions
    displaced_labels: Labels


def compute(recipe: Recipe, smiles: str) -> Molecule:
    """Build, relax, round, displace and label one molecule; raise ``Rejected`` with the reason."""
    try:
        return _compute(recipe, smiles)
    except TBLiteRuntimeError as error:
        raise Rejected("self-consistent field not converged") from error


def _compute(recipe: Recipe, smiles: str) -> Molecule:
    molecule = Chem.AddHs(Chem.MolFromSmiles(smiles))
    numbers = np.array([atom.GetAtomicNum() for atom in molecule.GetAtoms()])
    engine = Engine(numbers, recipe.label_accuracy)
    step = recipe.position_step_A
    start = embedded(molecule, recipe.seed)
    final = relaxed(engine, start, recipe.largest_gradient_eV_per_A)
    stored = quantised(turned(recipe, smiles, final), step)
    positions = dequantised(stored, step)
    if not keeps_its_bonds(molecule, positions, recipe.bond_radius_factor):
        raise Rejected("rearranged")
    stored_displaced = quantised(displaced(recipe, smiles, positions), step)
    return Molecule(
        smiles=smiles,
        numbers=numbers,
        positions=stored,
        labels=_checked(engine.labels(positions), recipe),
        polarizability_bohr3=engine.polarizability_bohr3(positions, recipe.field_step_au),
        displaced_positions=stored_displaced,
        displaced_labels=_checked(engine.labels(dequantised(stored_displaced, step)), recipe),
    )


def _checked(labels: Labels, recipe: Recipe) -> Labels:
    if np.abs(labels.forces_eV_per_A).max() >= recipe.largest_force_eV_per_A:
        raise Rejected("forces too large")
    return labels
