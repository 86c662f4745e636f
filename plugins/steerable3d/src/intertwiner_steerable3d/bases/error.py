"""How much the lattice breaks the rotation symmetry of a kernel Y_J(x/|x|) phi(|x|).

The input is modelled as white noise blurred by a Gaussian of s voxels, so that its values at two
places at distance d have covariance C(d) = exp(-d^2 / 4 s^2). Let `phi` hold the kernel's radial
function at the distinct radii of the lattice, with n_a points at radius rho_a. Then

    response energy    phi E phi,  E_ab = sum_{|x| = rho_a, |y| = rho_b} P_J(cos(x, y)) C(|x - y|)
    with its own turn  phi M phi,  M_ab = n_a n_b (1/2) int_{-1}^{1} P_J(t) C(d_ab(t)) dt

where M is E averaged over all rotations of one of the points, d_ab^2(t) = rho_a^2 + rho_b^2 -
2 rho_a rho_b t. The mean squared difference between the response to a turned field and the turned
response, relative to the response energy, is 2 - 2 (phi M phi) / (phi E phi).
"""

from __future__ import annotations

import functools

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from intertwiner_steerable3d.bases.lattice import Lattice, Step, lattice

__all__ = ["energies", "profile_error"]

NODES = 200


def profile_error(
    phi: Float[Tensor, " radii"], order: int, size: int, blur: float = 1.0, step: Step = (1, 1, 1)
) -> float:
    """The relative error under rotation of one radial function, given at the lattice's radii.

    0: the lattice keeps the symmetry; sqrt(2): response and turned response have no relation.
    """
    response, turned, _ = energies(order, size, blur, step)
    ratio = (phi @ turned @ phi) / (phi @ response @ phi)
    return float((2 - 2 * ratio).clamp(min=0).sqrt())


@functools.cache
def energies(
    order: int, size: int, blur: float, step: Step
) -> tuple[Float[Tensor, "radii radii"], Float[Tensor, "radii radii"], Float[Tensor, " radii"]]:
    """(E, M, points at each radius). Rows and columns of radius 0 vanish for an order above 0.

    blur: in units of the longest voxel edge, which is the one that limits what a grid can hold.
    """
    grid = lattice(size, step)
    blur = blur * max(step) / min(step)
    count = torch.bincount(grid.shell).to(torch.float64)
    response = _response(grid, order, blur)
    turned = torch.outer(count, count) * _over_angles(grid.radii, order, blur)
    if order > 0:
        turned[grid.radii == 0] = 0
        turned[:, grid.radii == 0] = 0
    return response, turned, count


def _response(grid: Lattice, order: int, blur: float) -> Float[Tensor, "radii radii"]:
    covariance = torch.exp(-torch.cdist(grid.points, grid.points).square() / (4 * blur**2))
    direction = torch.nn.functional.normalize(grid.points, dim=1)
    pairs = _legendre(order, direction @ direction.T) * covariance
    if order > 0:
        pairs[grid.shell == _origin(grid)] = 0
        pairs[:, grid.shell == _origin(grid)] = 0
    members = torch.nn.functional.one_hot(grid.shell).to(torch.float64)
    return members.T @ pairs @ members


def _origin(grid: Lattice) -> int:
    """The number of the radius 0, or -1 where no point lies on the origin."""
    return 0 if grid.radii[0] == 0 else -1


def _over_angles(radii: Tensor, order: int, blur: float) -> Float[Tensor, "radii radii"]:
    nodes, weights = (torch.from_numpy(v) for v in np.polynomial.legendre.leggauss(NODES))
    squares = radii.square()[:, None] + radii.square()
    distance = squares[..., None] - 2 * torch.outer(radii, radii)[..., None] * nodes
    return 0.5 * torch.exp(-distance / (4 * blur**2)) @ (weights * _legendre(order, nodes))


def _legendre(order: int, cosine: Tensor) -> Tensor:
    coefficients = [0.0] * order + [1.0]
    return torch.from_numpy(np.polynomial.legendre.legval(cosine.numpy(), coefficients))
