"""Gauge-equivariant convolutions on triangle meshes, as plain `torch.nn.Module`s.

The convolution of de Haan, Weiler, Cohen and Welling (arXiv 2003.05425), computed with the sum
over neighbours first and the mixing of channels after. Names are imported on first use, so that
`import intertwiner_gauge_mesh` stays free of torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from intertwiner_gauge_mesh.config import GemConfig, GemUNetConfig
    from intertwiner_gauge_mesh.layers.convolution import GaugeConv
    from intertwiner_gauge_mesh.model import build_network
    from intertwiner_gauge_mesh.plan import MeshPlan
    from intertwiner_gauge_mesh.types import FeatureType

__version__ = "0.1.0"

_PACKAGE = "intertwiner_gauge_mesh"
_HOME = {
    "FeatureType": "types",
    "GaugeConv": "layers.convolution",
    "GemConfig": "config",
    "GemUNetConfig": "config",
    "MeshPlan": "plan",
    "build_network": "model",
}

__all__ = [
    "FeatureType",
    "GaugeConv",
    "GemConfig",
    "GemUNetConfig",
    "MeshPlan",
    "__version__",
    "build_network",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {_PACKAGE!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{_PACKAGE}.{_HOME[name]}"), name)
