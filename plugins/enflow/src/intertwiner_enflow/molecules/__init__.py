"""Whether atoms in space are molecules: bonds from distances, stability, validity, novelty."""

from intertwiner_enflow.molecules.bonds import ELEMENTS, SYMBOLS, VALENCES, bond_orders
from intertwiner_enflow.molecules.controls import displaced, gaussian_cloud, shuffled_types
from intertwiner_enflow.molecules.files import write_sdf, write_xyz
from intertwiner_enflow.molecules.histograms import distance_divergence, distance_histogram
from intertwiner_enflow.molecules.report import MoleculeReport, score_molecules
from intertwiner_enflow.molecules.stability import Stability, stability, stable_atoms

__all__ = [
    "ELEMENTS",
    "SYMBOLS",
    "VALENCES",
    "MoleculeReport",
    "Stability",
    "bond_orders",
    "displaced",
    "distance_divergence",
    "distance_histogram",
    "gaussian_cloud",
    "score_molecules",
    "shuffled_types",
    "stability",
    "stable_atoms",
    "write_sdf",
    "write_xyz",
]
