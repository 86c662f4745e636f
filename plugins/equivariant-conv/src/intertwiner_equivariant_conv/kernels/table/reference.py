"""The oracle: the weights of every edge, interpolated, and the definition of the product."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from intertwiner_equivariant_conv.kernels import reference

__all__ = ["examples", "table_product_scatter", "workload"]

Arguments = tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, int]


def table_product_scatter(
    features: Float[Tensor, "nodes rows_in channels"],
    harmonics: Float[Tensor, "edges rows_edge"],
    powers: Float[Tensor, "edges degree+1"],
    table: Float[Tensor, "rows degree+1 paths*channels"],
    row: Int[Tensor, " edges"],
    source: Int[Tensor, " edges"],
    target: Int[Tensor, " edges"],
    nodes: int,
) -> Float[Tensor, "nodes rows_out channels"]:
    """See `intertwiner_equivariant_conv.kernels.table.table_product_scatter`."""
    weights = torch.einsum("eq,eqw->ew", powers, table[row])
    return reference.tensor_product_scatter(features, harmonics, weights, source, target, nodes)


def examples(
    dtype: torch.dtype, device: torch.device, generator: torch.Generator
) -> list[Arguments]:
    """Arguments to verify and time kernels with: those of the product, and tables."""
    return [
        _tabulated(example, degree, generator)
        for example in reference.examples(dtype, device, generator)
        for degree in (3, 5)
    ]


def workload(dtype: torch.dtype, device: torch.device, generator: torch.Generator) -> Arguments:
    """Those of the product's workload, with a table of 200 intervals and degree 5."""
    return _tabulated(reference.workload(dtype, device, generator), 5, generator, rows=200)


def _tabulated(
    example: tuple[Tensor, Tensor, Tensor, Tensor, Tensor, int],
    degree: int,
    generator: torch.Generator,
    rows: int = 9,
) -> Arguments:
    features, harmonics, weights, source, target, nodes = example
    t = torch.rand(len(source), 1, generator=generator, dtype=torch.float64)
    powers = (t ** torch.arange(degree + 1, dtype=torch.float64)).to(weights)
    shape = (rows, degree + 1, weights.shape[1])
    table = torch.randn(shape, generator=generator, dtype=torch.float64).to(weights)
    row = torch.randint(0, rows, (len(source),), generator=generator).to(source.device)
    return features, harmonics, powers, table, row, source, target, nodes
