"""Steerable convolutions on volumes, as plain `torch.nn.Module`s.

Names are imported on first use, so that `import intertwiner_steerable3d` stays free of torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from intertwiner_steerable3d.bases.settings import BasisSettings
    from intertwiner_steerable3d.layers.block import BlockSettings, GatedBlock
    from intertwiner_steerable3d.layers.convolution import SteerableConv3d
    from intertwiner_steerable3d.networks import build
    from intertwiner_steerable3d.voxels.grid import Grid
    from intertwiner_steerable3d.voxels.voxelise import voxelise_atoms

__version__ = "0.1.0"

_PACKAGE = "intertwiner_steerable3d"
_HOME = {
    "BasisSettings": "bases.settings",
    "BlockSettings": "layers.block",
    "GatedBlock": "layers.block",
    "Grid": "voxels.grid",
    "SteerableConv3d": "layers.convolution",
    "build": "networks",
    "voxelise_atoms": "voxels.voxelise",
}

__all__ = [
    "BasisSettings",
    "BlockSettings",
    "GatedBlock",
    "Grid",
    "SteerableConv3d",
    "__version__",
    "build",
    "voxelise_atoms",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {_PACKAGE!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{_PACKAGE}.{_HOME[name]}"), name)
