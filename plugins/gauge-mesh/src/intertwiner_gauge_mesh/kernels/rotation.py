"""Features turned by an angle: every order n by n times the angle."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from intertwiner_gauge_mesh.geometry.transport import powers
from intertwiner_gauge_mesh.types import FeatureType

__all__ = ["circle", "rotate"]


def rotate(
    x: Float[Tensor, "rows width"], unit: Float[Tensor, "rows 2"], kind: FeatureType
) -> Float[Tensor, "rows width"]:
    """rho(angle) x with e^{i angle} = `unit`."""
    turns = powers(unit, kind.order)
    parts = [x[:, kind.blocks[0].real]]
    for block in kind.blocks[1:]:
        cos, sin = turns[block.order - 1].split(1, 1)
        real, imaginary = x[:, block.real], x[:, block.imaginary]
        parts += [cos * real - sin * imaginary, sin * real + cos * imaginary]
    return torch.cat(parts, 1)


def circle(unit: Float[Tensor, "rows 2"], order: int) -> Float[Tensor, "rows functions"]:
    """t(theta) = (1, cos theta, sin theta, ..., cos L theta, sin L theta), 2L + 1 columns."""
    one = torch.ones_like(unit[:, :1])
    return torch.cat([one, *powers(unit, order)], 1)
