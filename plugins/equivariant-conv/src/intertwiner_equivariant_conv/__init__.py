"""Rotation-equivariant point convolutions for molecules, as plain `torch.nn.Module`s.

The convolution of Miller, Geiger, Smidt and Noé (arXiv 2008.08461) in its depthwise form, the
network made of it, and its read-outs. Names are imported on first use, so that
`import intertwiner_equivariant_conv` stays free of torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from intertwiner_equivariant_conv.config import DepthwiseConfig
    from intertwiner_equivariant_conv.kernels import tensor_product_scatter
    from intertwiner_equivariant_conv.layers.convolution import DepthwiseConvolution
    from intertwiner_equivariant_conv.layers.gate import Gate
    from intertwiner_equivariant_conv.layers.radial import RadialBasis, RadialNetwork
    from intertwiner_equivariant_conv.layers.spherical_harmonics import spherical_harmonics
    from intertwiner_equivariant_conv.model import DepthwiseNetwork, build_network
    from intertwiner_equivariant_conv.width import count_parameters, match_width

__version__ = "0.1.0"

_PACKAGE = "intertwiner_equivariant_conv"
_HOME = {
    "DepthwiseConfig": "config",
    "DepthwiseConvolution": "layers.convolution",
    "DepthwiseNetwork": "model",
    "Gate": "layers.gate",
    "RadialBasis": "layers.radial",
    "RadialNetwork": "layers.radial",
    "build_network": "model",
    "count_parameters": "width",
    "match_width": "width",
    "spherical_harmonics": "layers.spherical_harmonics",
    "tensor_product_scatter": "kernels",
}

__all__ = [
    "DepthwiseConfig",
    "DepthwiseConvolution",
    "DepthwiseNetwork",
    "Gate",
    "RadialBasis",
    "RadialNetwork",
    "__version__",
    "build_network",
    "count_parameters",
    "match_width",
    "spherical_harmonics",
    "tensor_product_scatter",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {_PACKAGE!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{_PACKAGE}.{_HOME[name]}"), name)
