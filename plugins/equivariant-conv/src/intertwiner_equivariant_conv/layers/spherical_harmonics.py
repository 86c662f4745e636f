"""Real spherical harmonics in e3nn's basis and 'component' normalisation.

Order 1 is sqrt(3) (x, y, z). Higher orders follow from

    Y_l = (2l+1)/sqrt(3l) sum_{ij} Q^{1,l-1,l}_{ijk} Y_1i Y_(l-1)j,

where Q are the Clebsch-Gordan coefficients of norm 1; the factor makes sum_m Y_lm^2 = 2l+1.
"""

from __future__ import annotations

import functools
import math

import torch
from jaxtyping import Float
from torch import Tensor

from intertwiner_equivariant_conv.layers.coupling import wigner_3j

__all__ = ["spherical_harmonics"]


def spherical_harmonics(
    direction: Float[Tensor, "edges 3"], lmax: int
) -> Float[Tensor, edges(lmax + 1) ^ 2]:
    """All orders up to `lmax` of unit vectors, order l at columns l^2 ... l^2 + 2l."""
    if lmax < 1:
        return torch.ones_like(direction[:, :1])
    first = math.sqrt(3.0) * direction
    with_scalar = torch.nn.functional.pad(first, (1, 0), value=1.0)
    orders = [first]
    for order in range(2, lmax + 1):
        product = first.unsqueeze(2) * orders[-1].unsqueeze(1)
        step = _raise_order(order, direction.dtype, direction.device)
        orders.append(product.flatten(1) @ step)
    return torch.cat([with_scalar, *orders[1:]], 1) if lmax > 1 else with_scalar


@functools.cache
def _raise_order(
    order: int, dtype: torch.dtype, device: torch.device
) -> Float[Tensor, "3*(2*order-1) 2*order+1"]:
    factor = (2 * order + 1) / math.sqrt(3 * order)
    step = factor * wigner_3j(1, order - 1, order).reshape(-1, 2 * order + 1)
    return step.to(dtype=dtype, device=device)
