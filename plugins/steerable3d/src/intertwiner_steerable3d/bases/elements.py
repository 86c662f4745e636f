"""The elements of a kernel basis: coupling times harmonics times radial functions."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from intertwiner_steerable3d.bases.angular import coupling, harmonics
from intertwiner_steerable3d.bases.lattice import Step, lattice
from intertwiner_steerable3d.bases.radial import Profile, profiles
from intertwiner_steerable3d.bases.settings import BasisSettings
from intertwiner_steerable3d.errors import InvalidSetting

__all__ = ["MAX_ORDER", "Elements", "count_elements", "kernel_elements"]

MAX_ORDER = 8
MAX_HARMONIC = 11


@dataclass(frozen=True, eq=False)
class Elements:
    """The basis of one pair of orders, float64, every element of L2 norm 1.

    kernels: K[b, i, j, x, y, z] takes component j of the input to i of the output.
    labels: (number of the radial function, order of the harmonics) of every element.
    errors: relative error under rotation of every element, see `bases.error`.
    """

    kernels: Float[Tensor, "elements out in x y z"]
    labels: tuple[tuple[int, int], ...]
    errors: tuple[float, ...]


def count_elements(
    order_out: int, order_in: int, size: int, basis: BasisSettings, step: Step = (1.0, 1.0, 1.0)
) -> int:
    """The number of independent steerable kernels from order `order_in` to order `order_out`."""
    return len(_admitted(order_out, order_in, size, basis, step))


@functools.cache
def kernel_elements(
    order_out: int, order_in: int, size: int, basis: BasisSettings, step: Step = (1.0, 1.0, 1.0)
) -> Elements:
    """All elements between two orders l and k, by radial function and within it by harmonic.

        K_ij(x) = phi(|x|) sum_n Q^J_{ijn} Y_Jn(x / |x|),   |k - l| <= J <= k + l

    Raises `InvalidSetting` for orders below 0 or above 8.
    """
    grid = lattice(size, step)
    admitted = _admitted(order_out, order_in, size, basis, step)
    shape = (2 * order_out + 1, 2 * order_in + 1, size, size, size)
    kernels = torch.zeros(len(admitted), *shape, dtype=torch.float64)
    for place, profile in enumerate(admitted):
        angular = (
            coupling(order_out, order_in, profile.order) @ harmonics(profile.order, grid.points).T
        )
        kernel = angular * profile.values[grid.shell]
        kernels[place] = (kernel / kernel.norm()).view(shape)
    labels = tuple((profile.index, profile.order) for profile in admitted)
    return Elements(kernels, labels, tuple(profile.error for profile in admitted))


def _admitted(
    order_out: int, order_in: int, size: int, basis: BasisSettings, step: Step
) -> list[Profile]:
    for order in (order_out, order_in):
        if not 0 <= order <= MAX_ORDER:
            raise InvalidSetting(f"a field of order {order}: orders are 0 to {MAX_ORDER}")
    stride = 2 if basis.parity else 1
    orders = range(abs(order_out - order_in), min(order_out + order_in, MAX_HARMONIC) + 1, stride)
    found = [profile for order in orders for profile in profiles(order, size, basis, step)]
    return sorted(found, key=lambda profile: (profile.index, profile.order))
