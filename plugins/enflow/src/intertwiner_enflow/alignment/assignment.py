"""Which particle goes with which: a permutation per configuration of least total cost."""

from __future__ import annotations

from functools import lru_cache
from itertools import permutations
from typing import Final

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.optimize import linear_sum_assignment
from torch import Tensor

__all__ = ["ENUMERATED", "all_orders", "assign", "assign_features"]

ENUMERATED: Final = 5
"""Up to so many particles all permutations are tried, in one product."""


def assign(gain: Float[Tensor, "batch particles particles"]) -> Int[Tensor, "batch particles"]:
    """The permutation p of every sample with the largest sum_i gain[i, p_i].

    Exact: all permutations are tried up to 5 particles, above that by the algorithm of Jonker and
    Volgenant (scipy).
    """
    particles = gain.shape[1]
    if particles <= ENUMERATED:
        return _by_enumeration(gain)
    matrices = gain.detach().cpu().numpy()
    found = np.stack([linear_sum_assignment(matrix, maximize=True)[1] for matrix in matrices])
    return torch.from_numpy(found).to(gain.device)


def assign_features(
    x: Float[Tensor, "batch particles dim"],
    z: Float[Tensor, "batch particles dim"],
    h: Float[Tensor, "batch particles features"],
    w: Float[Tensor, "batch particles features"],
    mask: Float[Tensor, "batch particles"],
) -> Int[Tensor, "batch particles"]:
    """`assign` for positions and features together, padded rows staying where they are.

    Maximises sum_i x_i . z_{p_i} + h_i . w_{p_i}, which minimises the summed squared distances.
    mask: 1 for atoms, 0 for the padding that follows them.
    """
    gain = x @ z.transpose(1, 2) + h @ w.transpose(1, 2)
    matrices = gain.detach().cpu().numpy()
    found = np.tile(np.arange(gain.shape[1]), (len(gain), 1))
    for row, matrix, size in zip(found, matrices, mask.sum(dim=1).long().tolist(), strict=True):
        row[:size] = linear_sum_assignment(matrix[:size, :size], maximize=True)[1]
    return torch.from_numpy(found).to(gain.device)


def _by_enumeration(
    gain: Float[Tensor, "batch particles particles"],
) -> Int[Tensor, "batch particles"]:
    orders, indicator = all_orders(gain.shape[1])
    totals = gain.flatten(1) @ indicator.to(gain)
    return orders.to(gain.device)[totals.argmax(dim=1)]


@lru_cache
def all_orders(particles: int) -> tuple[Tensor, Tensor]:
    """All permutations `[orders, particles]`, and their matrices flat, `[particles^2, orders]`."""
    orders = torch.tensor(list(permutations(range(particles))))
    matrices = torch.nn.functional.one_hot(orders, particles).flatten(1)
    return orders, matrices.T.contiguous().to(torch.get_default_dtype())
