"""Between the layout of the layers and the one that other programs and files use.

Exchange layout: `[vertices, channels, 2L + 1]`, component 0 the scalar, 2n - 1 and 2n the real and
imaginary part of order n; all orders have equally many channels.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from intertwiner_gauge_mesh.errors import InvalidInput
from intertwiner_gauge_mesh.types import FeatureType

__all__ = ["pack", "pack_self_weight", "pack_weight", "unpack"]


def pack(x: Float[Tensor, "vertices channels components"]) -> Float[Tensor, "vertices width"]:
    """From the exchange layout to that of the layers."""
    return x.transpose(-1, -2).flatten(-2)


def unpack(
    x: Float[Tensor, "vertices width"], kind: FeatureType
) -> Float[Tensor, "vertices channels components"]:
    """From the layout of the layers to the exchange layout.

    Raises `InvalidInput` when the orders have different numbers of channels.
    """
    if len(set(kind.multiplicities)) != 1:
        raise InvalidInput(f"type {kind}: the exchange layout has equally many of every order")
    return x.view(len(x), -1, kind.scalars).transpose(1, 2)


def pack_weight(
    weight: Float[Tensor, "rings channels_in in channels_out out"],
) -> Float[Tensor, "rings width_in width_out"]:
    """The weight of a layer from the exchange layout."""
    return weight.permute(0, 2, 1, 4, 3).flatten(3, 4).flatten(1, 2)


def pack_self_weight(
    weight: Float[Tensor, "numbers channels_in channels_out"],
) -> Float[Tensor, " self_numbers"]:
    """Index 0 is order 0; 2n - 1 and 2n are real and imaginary part of the factor of order n."""
    return torch.flatten(weight)
