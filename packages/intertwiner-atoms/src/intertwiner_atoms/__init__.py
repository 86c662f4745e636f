"""intertwiner-atoms: molecules and proteins for intertwiner.

Names are imported on first use, so that `import intertwiner_atoms` needs no torch, RDKit or gemmi.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from intertwiner.data.neighbors import Neighbors, neighbor_list
    from intertwiner_atoms.config import ConformerConfig, ReadConfig, SmilesConfig
    from intertwiner_atoms.conformers import Conformer
    from intertwiner_atoms.molecules import Molecules
    from intertwiner_atoms.readers.any_file import read_structures
    from intertwiner_atoms.readers.report import ReadReport
    from intertwiner_atoms.xyz_writer import write_extxyz

__version__ = "0.1.0"

_HOME = {
    "Conformer": "intertwiner_atoms.conformers",
    "ConformerConfig": "intertwiner_atoms.config",
    "Molecules": "intertwiner_atoms.molecules",
    "Neighbors": "intertwiner.data.neighbors",
    "ReadConfig": "intertwiner_atoms.config",
    "ReadReport": "intertwiner_atoms.readers.report",
    "SmilesConfig": "intertwiner_atoms.config",
    "neighbor_list": "intertwiner.data.neighbors",
    "read_structures": "intertwiner_atoms.readers.any_file",
    "write_extxyz": "intertwiner_atoms.xyz_writer",
}

__all__ = [
    "Conformer",
    "ConformerConfig",
    "Molecules",
    "Neighbors",
    "ReadConfig",
    "ReadReport",
    "SmilesConfig",
    "__version__",
    "neighbor_list",
    "read_structures",
    "write_extxyz",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'intertwiner_atoms' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)
