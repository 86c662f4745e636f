"""The expansion as it is written on paper: what every other form must agree with."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from intertwiner_steerable3d.bases.settings import PAPER, BasisSettings
from intertwiner_steerable3d.kernels.plan import get_plan, make_plan

__all__ = ["examples", "expand"]


def expand(weight: Float[Tensor, " weights"], plan: int) -> Float[Tensor, "rows columns x y z"]:
    """kernel[(u, i), (v, j), x] = sum_b weight[u, v, b] K_b[i, j, x] in every block of the plan.

    plan: its number, see `kernels.plan`. Pairs of orders without elements stay zero.
    """
    found = get_plan(plan)
    kernel = weight.new_zeros(found.shape)
    for block in found.blocks:
        shape = (block.elements, 2 * block.orders[0] + 1, 2 * block.orders[1] + 1, -1)
        elements = found.elements(block, weight).view(shape)
        parts = weight[block.weights].view(*block.copies, -1)
        dense = torch.einsum("uvb,bijx->uivjx", parts, elements)
        rows = slice(block.rows, block.rows + block.height)
        columns = slice(block.columns, block.columns + block.width)
        kernel[rows, columns] = dense.reshape(block.height, block.width, *found.shape[2:])
    return kernel


def examples(
    dtype: torch.dtype, device: torch.device, generator: torch.Generator
) -> list[tuple[Any, ...]]:
    """Every size, pairs of orders without elements, gates alone, copies of all numbers."""
    plans = [
        make_plan((3, 2, 1), (2, 1, 2), 3, 3, BasisSettings()),
        make_plan((1,), (5, 1, 0, 1), 0, 5, PAPER),
        make_plan((2, 5), (4,), 5, 1, PAPER),
        make_plan((0, 9), (0, 2, 1), 0, 4, BasisSettings(kind="solid")),
    ]
    return [
        (torch.randn(plan.weights, generator=generator, dtype=dtype, device=device), plan.handle)
        for plan in plans
    ]
