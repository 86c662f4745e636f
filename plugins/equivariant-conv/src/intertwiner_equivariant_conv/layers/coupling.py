"""The constants of the paths: Clebsch-Gordan coefficients in e3nn's basis and convention."""

from __future__ import annotations

import functools
import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

from intertwiner_equivariant_conv.layers.paths import PathTable

__all__ = ["coupling", "wigner_3j"]


def wigner_3j(l1: int, l2: int, l3: int) -> Float[Tensor, "m1 m2 m3"]:
    """Real Clebsch-Gordan coefficients of Frobenius norm 1 in e3nn's basis, float64 on the CPU."""
    from e3nn import o3  # not at the top: it takes a second to import

    found: Tensor = o3.wigner_3j(l1, l2, l3, dtype=torch.float64)
    return found


@functools.cache
def coupling(
    table: PathTable, dtype: torch.dtype, device: torch.device
) -> tuple[Float[Tensor, "rows_edge rows_out*rows_in"], Int[Tensor, " rows_out"]]:
    """(constants, path of every output row).

    constants[j, (k, i)] = sqrt(2 l3 + 1) Q^{l1 l2 l3}_{ijk}, so that `Y @ constants` is, edge by
    edge, the matrix that takes features to messages.
    """
    constants = torch.zeros(table.rows_edge, table.rows_out, table.rows_in, dtype=torch.float64)
    owner = torch.zeros(table.rows_out, dtype=torch.long)
    for number, path in enumerate(table.paths):
        block = math.sqrt(2 * path.l3 + 1) * wigner_3j(path.l1, path.l2, path.l3)
        edge, node = _rows(path.l2), _rows(path.l1)
        constants[edge, path.rows, node] = block.permute(1, 2, 0)
        owner[path.rows] = number
    flat = constants.reshape(table.rows_edge, -1)
    return flat.to(device=device, dtype=dtype), owner.to(device)


def _rows(order: int) -> slice:
    return slice(order**2, (order + 1) ** 2)
