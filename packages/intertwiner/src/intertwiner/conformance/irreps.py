r"""Matrices of the irreducible representations of O(3), in e3nn's real basis.

The order-l space has the real basis m = -l..l. In the angular momentum basis |l, m> the
generators are J_z = m and J_± = sqrt(l(l+1) - m(m±1)); the real combinations

    (|-m> + (-1)^m |m>)/√2   for m > 0,      i(|-m> - (-1)^m |m>)/√2   for m < 0,      |0>,

turn -iJ into real antisymmetric matrices. e3nn's polar axis is y, so that its (x, y, z) are the
standard (y, z, x), and the components of order 1 are a vector's own. A rotation by the angle t
about the unit axis n is exp(t n·J); an improper matrix is minus a rotation, and minus one is the
parity of the block.
"""

from __future__ import annotations

import functools
import math

import torch
from jaxtyping import Float
from torch import Tensor

from intertwiner.fields import Irreps

__all__ = ["axis_angle", "irreps_matrix", "rotation_generators", "wigner"]


@functools.cache
def rotation_generators(order: int) -> Float[Tensor, "3 2l+1 2l+1"]:
    """Real antisymmetric generators of rotations about e3nn's x, y and z, in float64."""
    raise_m = [math.sqrt(order * (order + 1) - m * (m + 1)) for m in range(-order, order)]
    up = torch.diag(torch.tensor(raise_m, dtype=torch.complex128), -1)
    down = up.mH
    polar = torch.diag(torch.arange(-order, order + 1, dtype=torch.float64)).to(up)
    standard = torch.stack([(up + down) / 2, (up - down) / 2j, polar])
    basis = _real_basis(order)
    real = basis.conj() @ (-1j * standard) @ basis.mT
    return real.real[[1, 2, 0]].contiguous()


def _real_basis(order: int) -> Tensor:
    """Row r holds the real function r's coefficients over |l, m>, m = -l..l."""
    basis = torch.zeros(2 * order + 1, 2 * order + 1, dtype=torch.complex128)
    basis[order, order] = 1
    for m in range(1, order + 1):
        sign = (-1.0) ** m
        cosine = torch.tensor([1, sign], dtype=torch.complex128) / math.sqrt(2)
        sine = torch.tensor([1j, -1j * sign], dtype=torch.complex128) / math.sqrt(2)
        basis[order + m, [order - m, order + m]] = cosine
        basis[order - m, [order - m, order + m]] = sine
    return basis


def axis_angle(rotation: Float[Tensor, "3 3"]) -> Float[Tensor, " 3"]:
    """The vector t n of a proper rotation, |t| <= pi; sound at half turns too.

    The unit quaternion is the leading eigenvector of Bar-Itzhack's symmetric 4 x 4 matrix.
    """
    r = rotation.to(torch.float64)
    skew = torch.stack([r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1]])
    matrix = torch.zeros(4, 4, dtype=torch.float64)
    matrix[:3, :3] = r + r.T - torch.eye(3, dtype=torch.float64) * r.trace()
    matrix[:3, 3] = matrix[3, :3] = skew
    matrix[3, 3] = r.trace()
    quaternion = torch.linalg.eigh(matrix / 3).eigenvectors[:, -1]
    quaternion = quaternion * (1.0 if quaternion[3] >= 0 else -1.0)
    sine = quaternion[:3].norm()
    if sine < 1e-15:
        return torch.zeros(3, dtype=torch.float64)
    return quaternion[:3] / sine * 2 * torch.atan2(sine, quaternion[3])


def wigner(order: int, parity: int, matrix: Float[Tensor, "3 3"]) -> Float[Tensor, "2l+1 2l+1"]:
    """The matrix by which an orthogonal `matrix` acts on one irrep of O(3), in float64."""
    sign = 1.0 if torch.linalg.det(matrix) > 0 else -1.0
    rotation = torch.matrix_exp(
        torch.einsum("i,ijk->jk", axis_angle(sign * matrix), rotation_generators(order))
    )
    return rotation if sign > 0 else parity * rotation


def irreps_matrix(irreps: Irreps, matrix: Float[Tensor, "3 3"]) -> Float[Tensor, "width width"]:
    """The block-diagonal matrix of a direct sum, copies of a block side by side."""
    blocks = [
        wigner(order, parity, matrix)
        for multiplicity, order, parity in irreps.blocks
        for _ in range(multiplicity)
    ]
    return torch.block_diag(*blocks)
