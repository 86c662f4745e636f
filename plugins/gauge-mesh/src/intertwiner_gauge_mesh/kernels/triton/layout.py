"""Between the rows of features and the square blocks that the Triton kernels take.

All orders are filled up to one number of channels, a power of two of at least 16, since matrix
units take nothing less.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from intertwiner_gauge_mesh.types import FeatureType

__all__ = [
    "columns_out",
    "fold_matrices",
    "from_columns",
    "mixing_matrices",
    "power_of_two",
    "to_columns",
    "to_square",
]

LEAST = 16


def power_of_two(kind: FeatureType) -> int:
    """Channels that every order is filled up to."""
    return max(LEAST, 1 << (max(kind.multiplicities) - 1).bit_length())


def columns_out(kind: FeatureType) -> int:
    """Real parts and imaginary parts side by side."""
    return 2 * power_of_two(kind)


def to_square(
    x: Float[Tensor, "... width"], kind: FeatureType
) -> Float[Tensor, "... components channels"]:
    """[..., 2L + 1, C], zeros where an order has fewer channels."""
    wide = power_of_two(kind)
    out = x.new_zeros(*x.shape[:-1], 2 * kind.order + 1, wide)
    for block in kind.blocks:
        component = max(0, 2 * block.order - 1)
        out[..., component, : block.count] = x[..., block.real]
        if block.order:
            out[..., component + 1, : block.count] = x[..., block.imaginary]
    return out


def _from_square(x: Tensor, kind: FeatureType) -> Float[Tensor, "... width"]:
    parts = []
    for block in kind.blocks:
        component = max(0, 2 * block.order - 1)
        parts.append(x[..., component, : block.count])
        if block.order:
            parts.append(x[..., component + 1, : block.count])
    return torch.cat(parts, -1)


def to_columns(
    g: Float[Tensor, "vertices width"], kind: FeatureType
) -> Float[Tensor, "vertices orders columns"]:
    """[V, L + 1, 2C]: real parts, then imaginary parts, of each order."""
    wide = power_of_two(kind)
    out = g.new_zeros(len(g), kind.order + 1, 2 * wide)
    for block in kind.blocks:
        out[:, block.order, : block.count] = g[:, block.real]
        if block.order:
            out[:, block.order, wide : wide + block.count] = g[:, block.imaginary]
    return out


def from_columns(
    out: Float[Tensor, "vertices orders columns"], kind: FeatureType
) -> Float[Tensor, "vertices width"]:
    """The inverse of `to_columns`."""
    wide = power_of_two(kind)
    parts = []
    for block in kind.blocks:
        parts.append(out[:, block.order, : block.count])
        if block.order:
            parts.append(out[:, block.order, wide : wide + block.count])
    return torch.cat(parts, 1)


def mixing_matrices(
    weight: Float[Tensor, "rings width_in width_out"], type_in: FeatureType, type_out: FeatureType
) -> Float[Tensor, "orders functions rings components channels columns"]:
    """G of every order (see `kernels.algebra`), filled up; sine rows of order 0 are zero."""
    rows = to_square(weight.transpose(1, 2), type_in).movedim(1, -1)
    wide = power_of_two(type_out)
    shape = (type_out.order + 1, 2, *rows.shape[:-1], 2 * wide)
    matrices = weight.new_zeros(shape)
    for block in type_out.blocks:
        real = rows[..., block.real]
        cos, sin = matrices[block.order]
        cos[..., : block.count] = real
        if block.order:
            imaginary = rows[..., block.imaginary]
            cos[..., wide : wide + block.count] = imaginary
            sin[..., : block.count] = -imaginary
            sin[..., wide : wide + block.count] = real
    return matrices


def fold_matrices(
    slopes: Float[Tensor, "orders functions rings components channels columns"],
    type_in: FeatureType,
    type_out: FeatureType,
) -> Float[Tensor, "rings width_in width_out"]:
    """The adjoint of `mixing_matrices`."""
    wide = power_of_two(type_out)
    parts = []
    for block in type_out.blocks:
        cos, sin = slopes[block.order]
        first, second = slice(0, block.count), slice(wide, wide + block.count)
        if block.order == 0:
            parts.append(cos[..., first])
            continue
        parts += [cos[..., first] + sin[..., second], cos[..., second] - sin[..., first]]
    columns = torch.cat(parts, -1).movedim(-1, 1)
    return _from_square(columns, type_in).transpose(1, 2)
