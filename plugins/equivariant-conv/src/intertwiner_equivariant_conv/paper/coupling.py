"""Clebsch-Gordan coefficients of the paper's convolution, contracted with the harmonics."""

from __future__ import annotations

import functools
import math

import torch
from jaxtyping import Float
from torch import Tensor

from intertwiner_equivariant_conv.layers.coupling import wigner_3j

__all__ = ["couple", "filters"]


def filters(lo: int, li: int) -> range:
    """Orders of the filters that take order `li` to order `lo`, whatever their parity."""
    return range(abs(lo - li), lo + li + 1)


def couple(
    harmonics: Float[Tensor, "atoms slots rows"], lo: int, li: int, *, transform: bool
) -> Tensor:
    """sqrt(4 pi (2 li + 1)) sum_k Q^{lo,li,lf}_{ijk} Ybar^{lf}_k for all i, j and filters f.

    Ybar are 'integral' normalised, and sqrt(4 pi) Ybar the 'component' harmonics given.
    Shapes: [atoms, slots, (i, f), j], or with `transform` [atoms, i, (slots, j, f)].
    """
    out, filter_count, inner = 2 * lo + 1, len(filters(lo, li)), 2 * li + 1
    atoms, slots, _ = harmonics.shape
    rows = slice(abs(lo - li) ** 2, (lo + li + 1) ** 2)
    constants = _constants(lo, li, transform, harmonics.dtype, harmonics.device)
    flat = harmonics[..., rows] @ constants
    if not transform:
        return flat.view(atoms, slots, out * filter_count, inner)
    split = flat.view(atoms, slots, out, inner * filter_count).transpose(1, 2)
    return split.reshape(atoms, out, slots * inner * filter_count)


@functools.cache
def _constants(
    lo: int, li: int, transform: bool, dtype: torch.dtype, device: torch.device
) -> Float[Tensor, "rows columns"]:
    """Rows: harmonics of the filters; columns (i, f, j), or with `transform` (i, j, f)."""
    orders = filters(lo, li)
    blocks = [wigner_3j(lo, li, order).permute(2, 0, 1) for order in orders]
    full = torch.zeros(sum(map(len, blocks)), 2 * lo + 1, len(orders), 2 * li + 1).double()
    start = 0
    for number, block in enumerate(blocks):
        full[start : start + len(block), :, number] = math.sqrt(2 * li + 1) * block
        start += len(block)
    ordered = full.transpose(2, 3) if transform else full
    return ordered.reshape(len(full), -1).to(dtype=dtype, device=device)
