"""The bilinear nonlinearity: products of fields, which are fields of summed and differing orders.

With A_n = M^A_n z_n and B_n = M^B_n z_n (channels mixed by real matrices),

    out_{n+m} += A_n B_m,   out_{n-m} += A_n conj(B_m) (n >= m >= 1),
    out_{m-n} += conj(A_n) B_m (m > n >= 1),

and z_n -> z_n + out_n for n >= 1, x_0 -> x_0 + SiLU(out_0). Exactly equivariant.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from intertwiner_gauge_mesh.layers.linear import GaugeLinear
from intertwiner_gauge_mesh.types import FeatureType, TypeLike

__all__ = ["Product", "product_paths"]


class Path(NamedTuple):
    """Orders n and m, that of the product, and which factor is conjugated."""

    left: int
    right: int
    out: int
    conjugate: str


def product_paths(order: int) -> list[Path]:
    """All products of orders up to `order` that stay within it; 10 for order 2."""
    found = []
    for n in range(order + 1):
        for m in range(order + 1):
            if n + m <= order:
                found.append(Path(n, m, n + m, ""))
            if n >= m >= 1:
                found.append(Path(n, m, n - m, "right"))
            if m > n >= 1:
                found.append(Path(n, m, m - n, "left"))
    return found


class Product(nn.Module):
    """See above. Types of unequal multiplicities are mixed to the largest, and back."""

    def __init__(self, kind: TypeLike, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.kind = FeatureType.parse(kind)
        self.wide = FeatureType.uniform(max(self.kind.multiplicities), self.kind.order)
        self.left = GaugeLinear(self.kind, self.wide, bias=False, generator=generator)
        self.right = GaugeLinear(self.kind, self.wide, bias=False, generator=generator)
        self.back = (
            None
            if self.kind == self.wide
            else GaugeLinear(self.wide, self.kind, bias=False, generator=generator)
        )
        self.paths = product_paths(self.kind.order)

    def forward(self, x: Float[Tensor, "vertices width"]) -> Float[Tensor, "vertices width"]:
        """Commutes exactly with turning the frames."""
        out = _products(_complex(self.left(x), self.wide), _complex(self.right(x), self.wide), self)
        if self.back is not None:
            out = self.back(out)
        scalars, rest = out.split([self.kind.scalars, self.kind.width - self.kind.scalars], 1)
        return x + torch.cat([nn.functional.silu(scalars), rest], 1)


Parts = list[tuple[Tensor, Tensor | None]]


def _complex(x: Tensor, kind: FeatureType) -> Parts:
    """(real, imaginary) of every order; None is zero."""
    counts = [block.count for block in kind.blocks for _ in range(2 if block.order else 1)]
    first, *others = x.split(counts, 1)  # the gradient of many slices would be as many rows
    return [(first, None), *zip(others[::2], others[1::2], strict=True)]


def _products(left: Parts, right: Parts, layer: Product) -> Float[Tensor, "vertices width"]:
    sums: list[list[Tensor | None]] = [[None, None] for _ in left]
    for path in layer.paths:
        real, imaginary = _multiply(left[path.left], right[path.right], path)
        _add(sums[path.out], 0, real)
        if path.out and imaginary is not None:
            _add(sums[path.out], 1, imaginary)
    return torch.cat([part for pair in sums for part in pair if part is not None], 1)


def _add(pair: list[Tensor | None], place: int, value: Tensor) -> None:
    old = pair[place]
    pair[place] = value if old is None else old + value


def _multiply(
    a: tuple[Tensor, Tensor | None], b: tuple[Tensor, Tensor | None], path: Path
) -> tuple[Tensor, Tensor | None]:
    (a_real, a_imaginary), (b_real, b_imaginary) = a, b
    if a_imaginary is None or b_imaginary is None:
        turning = b_imaginary if a_imaginary is None else a_imaginary
        fixed = a_real if a_imaginary is None else b_real
        return a_real * b_real, None if turning is None else fixed * turning
    straight, crossed = a_real * b_real, a_imaginary * b_imaginary
    if path.conjugate == "":
        return straight - crossed, a_real * b_imaginary + a_imaginary * b_real
    if path.out == 0:
        return straight + crossed, None
    twist = a_imaginary * b_real - a_real * b_imaginary
    return straight + crossed, twist if path.conjugate == "right" else -twist
