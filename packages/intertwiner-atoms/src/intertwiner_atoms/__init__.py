"""intertwiner-atoms: molecules and proteins for intertwiner.

Names are imported on first use, so that `import intertwiner_atoms` needs no torch, RDKit or gemmi.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from intertwiner.data.neighbors import Neighbors, neighbor_list
    from intertwiner_atoms.complexes.entry import read_entry
    from intertwiner_atoms.complexes.ligand import Ligand, read_ligands
    from intertwiner_atoms.complexes.many import read_complexes, read_poses
    from intertwiner_atoms.complexes.reading import read_complex
    from intertwiner_atoms.complexes.receptor import Receptor, read_receptor
    from intertwiner_atoms.complexes.report import ComplexReport
    from intertwiner_atoms.complexes.sources import ComplexFiles
    from intertwiner_atoms.config import ComplexConfig, ConformerConfig, ReadConfig, SmilesConfig
    from intertwiner_atoms.conformers import Conformer
    from intertwiner_atoms.molecules import Molecules
    from intertwiner_atoms.readers.any_file import read_structures
    from intertwiner_atoms.readers.collection import Collection, Failure
    from intertwiner_atoms.readers.many import read_many
    from intertwiner_atoms.readers.report import ReadReport
    from intertwiner_atoms.xyz_writer import write_extxyz

__version__ = "0.1.0"

_HOME = {
    "Collection": "intertwiner_atoms.readers.collection",
    "ComplexConfig": "intertwiner_atoms.config",
    "ComplexFiles": "intertwiner_atoms.complexes.sources",
    "ComplexReport": "intertwiner_atoms.complexes.report",
    "Conformer": "intertwiner_atoms.conformers",
    "ConformerConfig": "intertwiner_atoms.config",
    "Failure": "intertwiner_atoms.readers.collection",
    "Ligand": "intertwiner_atoms.complexes.ligand",
    "Molecules": "intertwiner_atoms.molecules",
    "Neighbors": "intertwiner.data.neighbors",
    "ReadConfig": "intertwiner_atoms.config",
    "ReadReport": "intertwiner_atoms.readers.report",
    "Receptor": "intertwiner_atoms.complexes.receptor",
    "SmilesConfig": "intertwiner_atoms.config",
    "neighbor_list": "intertwiner.data.neighbors",
    "read_complex": "intertwiner_atoms.complexes.reading",
    "read_entry": "intertwiner_atoms.complexes.entry",
    "read_complexes": "intertwiner_atoms.complexes.many",
    "read_ligands": "intertwiner_atoms.complexes.ligand",
    "read_many": "intertwiner_atoms.readers.many",
    "read_poses": "intertwiner_atoms.complexes.many",
    "read_receptor": "intertwiner_atoms.complexes.receptor",
    "read_structures": "intertwiner_atoms.readers.any_file",
    "write_extxyz": "intertwiner_atoms.xyz_writer",
}

__all__ = [
    "Collection",
    "ComplexConfig",
    "ComplexFiles",
    "ComplexReport",
    "Conformer",
    "ConformerConfig",
    "Failure",
    "Ligand",
    "Molecules",
    "Neighbors",
    "ReadConfig",
    "ReadReport",
    "Receptor",
    "SmilesConfig",
    "__version__",
    "neighbor_list",
    "read_complex",
    "read_complexes",
    "read_entry",
    "read_ligands",
    "read_many",
    "read_poses",
    "read_receptor",
    "read_structures",
    "write_extxyz",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'intertwiner_atoms' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)
