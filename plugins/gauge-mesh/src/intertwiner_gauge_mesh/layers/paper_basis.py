"""The weights of a layer in the basis of kernels that the paper tabulates, and back.

For orders n -> m the kernel K(theta) is a sum of 1 (0 -> 0), 2 (n -> 0, 0 -> m) or 4 (n -> m)
functions with real coefficients; K(0) = W is the matrix of the layer. With c+- = cos (m +- n) theta
and s+- likewise, the functions of n -> m are [c- -s-; s- c-], [s- c-; -c- s-], [c+ s+; s+ -c+] and
[-s+ c+; c+ s+]; of n -> 0 (cos n theta, sin n theta) and (sin n theta, -cos n theta); of 0 -> m the
transposes with m (arXiv 2003.05425, table 1).
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["basis_labels", "from_paper_basis", "to_paper_basis"]


def basis_labels(order_in: int, order_out: int) -> list[tuple[int, int, int]]:
    """(n, m, number of the function) of every coefficient, in order."""
    found = []
    for n in range(order_in + 1):
        for m in range(order_out + 1):
            count = (1 if n == 0 else 2) * (1 if m == 0 else 2)
            found += [(n, m, number) for number in range(count)]
    return found


def to_paper_basis(
    weight: Float[Tensor, "rings channels_in in channels_out out"],
) -> Float[Tensor, "rings channels_in channels_out functions"]:
    """Coefficients in the order of `basis_labels`; `weight` in the exchange layout."""
    parts = []
    for n in range((weight.shape[2] + 1) // 2):
        for m in range((weight.shape[4] + 1) // 2):
            parts.append(_coefficients(weight[:, :, _rows(n)][..., _rows(m)].transpose(2, 3)))
    return torch.cat(parts, -1)


def from_paper_basis(
    coefficients: Float[Tensor, "rings channels_in channels_out functions"],
    order_in: int,
    order_out: int,
) -> Float[Tensor, "rings channels_in in channels_out out"]:
    """The inverse of `to_paper_basis`."""
    shape = coefficients.shape
    weight = coefficients.new_zeros(
        shape[0], shape[1], 2 * order_in + 1, shape[2], 2 * order_out + 1
    )
    start = 0
    for n in range(order_in + 1):
        for m in range(order_out + 1):
            count = (1 if n == 0 else 2) * (1 if m == 0 else 2)
            block = _matrices(coefficients[..., start : start + count], n, m)
            weight[:, :, _rows(n), :, _rows(m)] = block.transpose(2, 3)
            start += count
    return weight


def _rows(order: int) -> slice:
    return slice(0, 1) if order == 0 else slice(2 * order - 1, 2 * order + 1)


def _coefficients(block: Float[Tensor, ... in out]) -> Float[Tensor, "... functions"]:
    rows, columns = block.shape[-2:]
    if rows == columns == 1:
        return block[..., 0]
    if rows == 1 or columns == 1:
        a, b = block.flatten(-2).unbind(-1)
        return torch.stack([a, -b], -1)
    (a, c), (b, d) = (part.unbind(-1) for part in block.unbind(-2))
    return 0.5 * torch.stack([a + d, b - c, a - d, b + c], -1)


def _matrices(values: Float[Tensor, "... functions"], n: int, m: int) -> Tensor:
    """The block [in, out] of orders n -> m."""
    if values.shape[-1] == 1:
        return values[..., None]
    if values.shape[-1] == 2:
        pair = torch.stack([values[..., 0], -values[..., 1]], -1)
        return pair[..., None, :] if n == 0 else pair[..., None]
    one, two, three, four = values.unbind(-1)
    first = torch.stack([one + three, four - two], -1)
    second = torch.stack([two + four, one - three], -1)
    return torch.stack([first, second], -2)
