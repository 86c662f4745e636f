"""Spherical harmonics and couplings in e3nn's basis, with one rule for their signs."""

from __future__ import annotations

import functools

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["coupling", "harmonics", "wigner_matrix"]


def harmonics(order: int, points: Float[Tensor, "points 3"]) -> Float[Tensor, "points components"]:
    """Real harmonics of the directions, squares summing to 1; at the origin 1 (order 0) or 0."""
    from e3nn import o3  # not at the top: it takes a second to import

    found: Tensor = o3.spherical_harmonics(order, points, normalize=True, normalization="norm")
    return found


@functools.cache
def coupling(order_out: int, order_in: int, order: int) -> Float[Tensor, "rows columns components"]:
    """The tensor of norm 1 that is invariant under D_output x D_input x D_order, float64.

    Its sign: among the entries of largest magnitude, the first (in C order) is positive.
    """
    from e3nn import o3

    found: Tensor = o3.wigner_3j(order_out, order_in, order, dtype=torch.float64)
    flat = found.flatten()
    largest = int((flat.abs() > flat.abs().max() - 1e-9).nonzero()[0])
    return found * flat[largest].sign()


def wigner_matrix(order: int, rotation: Float[Tensor, "3 3"]) -> Float[Tensor, "m m"]:
    """D with Y(Rx) = D Y(x) for the harmonics of one order, in float64."""
    generator = torch.Generator().manual_seed(0)
    points = torch.randn(6 * order + 6, 3, generator=generator, dtype=torch.float64)
    turned = harmonics(order, points @ rotation.to(points).T)
    solved: Tensor = torch.linalg.lstsq(harmonics(order, points), turned).solution
    return solved.T
