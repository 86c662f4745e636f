"""The radial functions of every kind of basis, at the radii of a lattice."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from intertwiner_steerable3d.bases.error import energies, profile_error
from intertwiner_steerable3d.bases.lattice import Step, lattice
from intertwiner_steerable3d.bases.settings import BAND_LIMITS, BasisSettings

__all__ = ["Profile", "profiles"]

SHELL_WIDTH = 0.6
REGULARISATION = 1e-3


@dataclass(frozen=True, eq=False)
class Profile:
    """One radial function that goes with harmonics of one order.

    index: its number in the family (of `shells` the radius). values: at the lattice's radii.
    error: relative error under rotation on this lattice, see `bases.error`.
    """

    index: int
    order: int
    values: Float[Tensor, " radii"]
    error: float


@functools.cache
def profiles(
    order: int, size: int, basis: BasisSettings, step: Step = (1.0, 1.0, 1.0)
) -> tuple[Profile, ...]:
    """Radial functions that may go with harmonics of `order` in a kernel of `size`, by number."""
    family = {"shells": _shells, "solid": _solid, "optimal": _optimal}[basis.kind]
    return tuple(
        Profile(index, order, values, profile_error(values, order, size, basis.blur, step))
        for index, values in family(order, size, basis, step)
    )


Numbered = Iterator[tuple[int, Float[Tensor, " radii"]]]


def _shells(order: int, size: int, basis: BasisSettings, step: Step) -> Numbered:
    """Gaussian windows around the radii 0, 1, 2, ... voxels, of width 0.6 voxel."""
    radii = lattice(size, step).radii
    for shell in range(size // 2 + 1):
        limit = 2 * shell + BAND_LIMITS[basis.band_limit] if shell else 0
        if order <= limit:
            scale = SHELL_WIDTH * math.sqrt(2 * math.pi)
            values = torch.exp(-((radii - shell) / SHELL_WIDTH).square() / 2) / scale
            yield shell, _without_origin(values, radii, order)


def _solid(order: int, size: int, basis: BasisSettings, step: Step) -> Numbered:
    """|x|^(J + 2k) exp(-|x|^2 / 2 w^2) of width w = size / 5.2, for k = 0 and 1."""
    radii = lattice(size, step).radii
    for degree in (0, 1):
        if order <= (size + 1) // 2 - degree:
            damping = torch.exp(-(radii * 5.2 / size).square() / 2)
            values = _without_origin(radii ** (order + 2 * degree) * damping, radii, order)
            if bool(values.any()):
                yield degree, values


def _without_origin(values: Tensor, radii: Tensor, order: int) -> Tensor:
    return values if order == 0 else values * (radii > 0)


def _optimal(order: int, size: int, basis: BasisSettings, step: Step) -> Numbered:
    """Solutions of M phi = lambda (E + 1e-3 N) phi of least error, from the largest lambda on."""
    response, turned, count = energies(order, size, basis.blur, step)
    free = (lattice(size, step).radii > 0).nonzero()[:, 0] if order else torch.arange(len(count))
    if len(free) == 0:
        return
    metric = (response + REGULARISATION * count.diag())[free][:, free]
    lower = torch.linalg.cholesky(metric)
    half = torch.linalg.solve_triangular(lower, turned[free][:, free], upper=False)
    symmetric = torch.linalg.solve_triangular(lower, half.T, upper=False)
    vectors = torch.linalg.eigh((symmetric + symmetric.T) / 2).eigenvectors.flip(1)
    found = torch.linalg.solve_triangular(lower.T, vectors, upper=True)
    for index, column in enumerate(found.T):
        values = torch.zeros_like(count)
        values[free] = column / column[column.abs().argmax()]
        if profile_error(values, order, size, basis.blur, step) > basis.tau:
            return
        yield index, values
