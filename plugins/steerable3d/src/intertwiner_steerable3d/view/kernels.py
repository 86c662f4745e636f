"""The kernels that a steerable network has learned, ready to be drawn as volumes."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from intertwiner_steerable3d.errors import InvalidInput
from intertwiner_steerable3d.layers.convolution import SteerableConv3d

__all__ = ["first_kernels"]


def first_kernels(network: nn.Module) -> dict[str, Float[Tensor, "x y z"]]:
    """Kernels of the network's first steerable convolution, from the first input channel to every
    component of one field of each order; named "l = ORDER, COMPONENT".

    Raises `InvalidInput` for a network without such a convolution.
    """
    layers = [module for module in network.modules() if isinstance(module, SteerableConv3d)]
    if not layers:
        raise InvalidInput(f"{type(network).__name__} has no steerable convolution to draw")
    layer = layers[0]
    with torch.no_grad():
        made = layer.eval().to_conv3d()
        plain = made[-1] if isinstance(made, nn.Sequential) else made
        kernel: Tensor = plain.get_parameter("weight")[:, 0]
    found, first = {}, 0
    for order, count in enumerate(layer.fields_out):
        for component in range(2 * order + 1 if count else 0):
            found[f"l = {order}, {component + 1}"] = kernel[first + component]
        first += count * (2 * order + 1)
    return found
