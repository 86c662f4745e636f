"""The small matrices of the layer: what mixes channels after the sum over neighbours.

With t(theta) = (1, cos theta, sin theta, cos 2 theta, ...), the sums over the edges of a vertex are

    S[t, r, i] = sum_e w_er t(theta_e) u_e[i],        u_e = rho_in(pre_e) x_q,

and the output of order m is a matrix product of its rows t = (cos m theta, sin m theta) with

    G_m = [[W_Re, W_Im], [-W_Im, W_Re]],

W_Re and W_Im being W[r, i] for the real and for the imaginary parts of order m,

since rotating y = (y_Re, y_Im) by m theta gives (c y_Re - s y_Im, s y_Re + c y_Im).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from intertwiner_gauge_mesh.types import Block, FeatureType

__all__ = [
    "bias_rows",
    "fold_mixing",
    "fold_self",
    "mixing",
    "self_blocks",
    "self_numbers",
    "self_sizes",
    "spread_bias",
]


def mixing(
    weight: Float[Tensor, "rings inputs width_out"], block: Block
) -> Float[Tensor, "rows columns"]:
    """G of one output order, rows (t, r, i), columns (real parts, imaginary parts)."""
    part = weight[:, :, block.start : block.stop]
    if block.order == 0:
        return part.flatten(0, 1)
    real, imaginary = part[..., : block.count], part[..., block.count :]
    below = torch.cat([-imaginary, real], 2)
    return torch.stack([part, below]).flatten(0, 2)


def fold_mixing(
    gradient: Float[Tensor, "rows columns"], rings: int, block: Block
) -> Float[Tensor, "rings inputs columns"]:
    """The adjoint of `mixing`: the gradient of W from that of G."""
    inputs = len(gradient) // rings
    if block.order == 0:
        return gradient.view(rings, inputs, block.count)
    upper, lower = gradient.view(2, rings, inputs // 2, 2 * block.count)
    real, imaginary = lower[..., : block.count], lower[..., block.count :]
    return upper + torch.cat([imaginary, -real], 2)


def self_sizes(type_in: FeatureType, type_out: FeatureType) -> list[tuple[int, int, int]]:
    """(matrices, c_n, c'_n) for every common order."""
    pairs = zip(type_in.multiplicities, type_out.multiplicities, strict=False)
    return [(1 if order == 0 else 2, *pair) for order, pair in enumerate(pairs)]


def self_numbers(type_in: FeatureType, type_out: FeatureType) -> int:
    """Parameters of the map of a vertex to itself."""
    return sum(count * rows * columns for count, rows, columns in self_sizes(type_in, type_out))


def self_blocks(
    self_weight: Float[Tensor, " self_numbers"], type_in: FeatureType, type_out: FeatureType
) -> list[Float[Tensor, "rows columns"]]:
    """The real matrix of every common order: z_n (s_1 + i s_2) is [[s_1, s_2], [-s_2, s_1]]."""
    sizes = self_sizes(type_in, type_out)
    parts = self_weight.split([count * rows * columns for count, rows, columns in sizes])
    found = []
    for part, (count, rows, columns) in zip(parts, sizes, strict=True):
        if count == 1:
            found.append(part.view(rows, columns))
            continue
        one, two = part.view(2, rows, columns)
        found.append(torch.cat([torch.cat([one, two], 1), torch.cat([-two, one], 1)]))
    return found


def fold_self(
    gradients: Sequence[Float[Tensor, "rows columns"]], type_in: FeatureType, type_out: FeatureType
) -> Float[Tensor, " self_numbers"]:
    """The adjoint of `self_blocks`."""
    parts = []
    for gradient, (count, rows, columns) in zip(
        gradients, self_sizes(type_in, type_out), strict=True
    ):
        if count == 1:
            parts.append(gradient.flatten())
            continue
        quarters = gradient.view(2, rows, 2, columns)
        parts += [
            (quarters[0, :, 0] + quarters[1, :, 1]).flatten(),
            (quarters[0, :, 1] - quarters[1, :, 0]).flatten(),
        ]
    return torch.cat(parts)


def spread_bias(
    bias: Float[Tensor, " width_out"], type_out: FeatureType
) -> Float[Tensor, "rows width_out"]:
    """The matrix that takes the sums of t(theta) over the edges (2L + 1 rows) to the bias term."""
    matrix = bias.new_zeros(2 * type_out.order + 1, type_out.width)
    for block in type_out.blocks:
        if block.order == 0:
            matrix[0, block.real] = bias[block.real]
            continue
        row = 2 * block.order - 1
        matrix[row, block.start : block.stop] = bias[block.start : block.stop]
        matrix[row + 1, block.real] = -bias[block.imaginary]
        matrix[row + 1, block.imaginary] = bias[block.real]
    return matrix


def bias_rows(
    gradient: Float[Tensor, "rows width_out"], type_out: FeatureType
) -> Float[Tensor, " width_out"]:
    """The adjoint of `spread_bias`."""
    parts = [gradient[0, type_out.blocks[0].real]]
    for block in type_out.blocks[1:]:
        upper, lower = gradient[2 * block.order - 1], gradient[2 * block.order]
        parts += [
            upper[block.real] + lower[block.imaginary],
            upper[block.imaginary] - lower[block.real],
        ]
    return torch.cat(parts)
