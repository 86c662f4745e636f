"""One class per structure of 3D data: how to make its records and what acts on them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from intertwiner.conformance.findings import NotCovered
from intertwiner.conformance.structures.atoms import AtomsKit
from intertwiner.conformance.structures.base import StructureKit
from intertwiner.conformance.structures.bonds import BondsKit
from intertwiner.conformance.structures.complexes import ComplexKit
from intertwiner.conformance.structures.mesh import MeshKit
from intertwiner.conformance.structures.voxels import VoxelsKit
from intertwiner.fields import Structure

__all__ = ["KITS", "StructureKit", "kit_for"]

KITS: Final[Mapping[Structure, type[StructureKit]]] = {
    Structure.ATOMS: AtomsKit,
    Structure.BONDS: BondsKit,
    Structure.COMPLEX: ComplexKit,
    Structure.MESH: MeshKit,
    Structure.VOXELS: VoxelsKit,
}


def kit_for(structure: Structure) -> StructureKit:
    """The kit of a structure. Raises `NotCovered` for one that has none yet."""
    if structure not in KITS:
        covered = ", ".join(KITS)
        raise NotCovered(f"no conformance kit is written for {structure} yet; there is: {covered}")
    return KITS[structure]()
