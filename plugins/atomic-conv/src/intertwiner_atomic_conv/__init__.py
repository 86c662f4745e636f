"""Atomic convolutions for protein-ligand binding affinity, as plain `torch.nn.Module`s.

The network of Gomes, Ramsundar, Feinberg and Pande (arXiv 1703.10603) with an exact evaluation of
the interface alone, smooth graphs, a pooled read-out, and `score(protein, ligand)`. Names are
imported on first use, so that `import intertwiner_atomic_conv` stays free of torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from intertwiner_atomic_conv.config import AtomicConvConfig, CoreConfig, PooledConfig
    from intertwiner_atomic_conv.curves import isolated_curve, pair_values
    from intertwiner_atomic_conv.graphs.interface import Reach, interface_graph
    from intertwiner_atomic_conv.kernels import grouped_linear, radial_pool
    from intertwiner_atomic_conv.layers.convolution import AtomicConvolution
    from intertwiner_atomic_conv.layers.naive import naive_energy
    from intertwiner_atomic_conv.layers.networks import AtomicNetworks
    from intertwiner_atomic_conv.layers.radial import RadialFilters
    from intertwiner_atomic_conv.model import AtomicConvNetwork, build_network
    from intertwiner_atomic_conv.pooled.model import PooledNetwork, build_pooled
    from intertwiner_atomic_conv.scoring import Score, Scorer, score

__version__ = "0.1.0"

_PACKAGE = "intertwiner_atomic_conv"
_HOME = {
    "AtomicConvConfig": "config",
    "AtomicConvNetwork": "model",
    "AtomicConvolution": "layers.convolution",
    "AtomicNetworks": "layers.networks",
    "CoreConfig": "config",
    "PooledConfig": "config",
    "PooledNetwork": "pooled.model",
    "RadialFilters": "layers.radial",
    "Reach": "graphs.interface",
    "Score": "scoring",
    "Scorer": "scoring",
    "build_network": "model",
    "build_pooled": "pooled.model",
    "grouped_linear": "kernels",
    "interface_graph": "graphs.interface",
    "isolated_curve": "curves",
    "naive_energy": "layers.naive",
    "pair_values": "curves",
    "radial_pool": "kernels",
    "score": "scoring",
}

__all__ = [
    "AtomicConvConfig",
    "AtomicConvNetwork",
    "AtomicConvolution",
    "AtomicNetworks",
    "CoreConfig",
    "PooledConfig",
    "PooledNetwork",
    "RadialFilters",
    "Reach",
    "Score",
    "Scorer",
    "__version__",
    "build_network",
    "build_pooled",
    "grouped_linear",
    "interface_graph",
    "isolated_curve",
    "naive_energy",
    "pair_values",
    "radial_pool",
    "score",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {_PACKAGE!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{_PACKAGE}.{_HOME[name]}"), name)
