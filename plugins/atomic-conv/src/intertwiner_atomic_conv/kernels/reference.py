"""The operations in plain torch: the definition, differentiable to any order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from intertwiner_atomic_conv.layers.radial import evaluate_filters

__all__ = [
    "block_of_edges",
    "grouped_layer",
    "grouped_layer_examples",
    "grouped_linear",
    "grouped_linear_examples",
    "radial_pool",
    "radial_pool_examples",
]

Examples = list[tuple[Any, ...]]


def radial_pool(
    distance: Float[Tensor, " edges"],
    pointer: Int[Tensor, " blocks+1"],
    cutoff: Float[Tensor, " filters"],
    centre: Float[Tensor, " filters"],
    exponent: Float[Tensor, " filters"],
) -> Float[Tensor, "blocks filters"]:
    """See `intertwiner_atomic_conv.kernels.radial_pool`."""
    filters = evaluate_filters(distance, cutoff, centre, exponent)
    out = filters.new_zeros(len(pointer) - 1, len(cutoff))
    return out.index_add(0, block_of_edges(pointer, len(distance)), filters)


def block_of_edges(pointer: Int[Tensor, " blocks+1"], edges: int) -> Int[Tensor, " edges"]:
    """The block of every edge."""
    numbers = torch.arange(len(pointer) - 1, device=pointer.device)
    return torch.repeat_interleave(numbers, pointer.diff(), output_size=edges)


def grouped_linear(
    x: Float[Tensor, "rows inputs"],
    weight: Float[Tensor, "groups inputs outputs"],
    slices: Sequence[tuple[int, int, int]],
    place: Int[Tensor, " rows"] | None,
    size: int,
    bias: Float[Tensor, "groups outputs"] | None = None,
) -> Float[Tensor, "size outputs"]:
    """See `intertwiner_atomic_conv.kernels.grouped_linear`."""
    rows = [x[first:stop] @ weight[group] for group, first, stop in slices]
    if bias is not None:
        rows = [row + bias[group] for row, (group, _, _) in zip(rows, slices, strict=True)]
    product = torch.cat(rows) if rows else x.new_zeros(0, weight.shape[2])
    if place is None:
        return product
    return product.new_zeros(size, product.shape[1]).index_add(0, place, product)


def grouped_layer(
    x: Float[Tensor, "rows inputs"],
    shift: Float[Tensor, "groups inputs"],
    weight: Float[Tensor, "groups inputs outputs"],
    slices: Sequence[tuple[int, int, int]],
    kept: Bool[Tensor, "period inputs"] | None = None,
    factor: float = 1.0,
    bias: Float[Tensor, "groups outputs"] | None = None,
) -> Float[Tensor, "rows outputs"]:
    """See `intertwiner_atomic_conv.kernels.grouped_layer`."""
    table = torch.tensor(slices, dtype=torch.long, device=x.device).view(-1, 3)
    group = torch.repeat_interleave(table[:, 0], table[:, 2] - table[:, 1], output_size=len(x))
    hidden = torch.relu(x + shift.index_select(0, group))
    if kept is not None and len(x):
        hidden = (hidden.view(-1, *kept.shape) * (kept * factor).to(x.dtype)).view_as(hidden)
    return grouped_linear(hidden, weight, slices, None, len(x), bias)


def radial_pool_examples(
    dtype: torch.dtype, device: torch.device, generator: torch.Generator
) -> Examples:
    """Few and many filters, empty blocks."""
    found = []
    for blocks, filters in ((40, 66), (20, 1), (5, 16), (9, 33)):
        counts = torch.randint(0, 6, (blocks,), generator=generator, device=device)
        pointer = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
        sizes = ((int(pointer[-1]), 1.0, 9.0), (filters, 5.0, 12.0))
        distance, cutoff = (_uniform(*size, dtype, generator) for size in sizes)
        rest = ((filters, 0.0, 8.0), (filters, 0.1, 1.0))
        found.append((distance, pointer, cutoff, *(_uniform(*x, dtype, generator) for x in rest)))
    return found


def grouped_linear_examples(
    dtype: torch.dtype, device: torch.device, generator: torch.Generator
) -> Examples:
    """Narrow and wide rows, one group twice, with and without places that repeat."""
    found: Examples = []
    for rows, inputs, outputs in ((23, 66, 32), (9, 5, 1), (40, 16, 33)):
        x = _uniform(rows * inputs, -1.0, 1.0, dtype, generator).view(rows, inputs)
        weight = _uniform(3 * inputs * outputs, -1.0, 1.0, dtype, generator)
        weight = weight.view(3, inputs, outputs)
        slices = ((2, 0, 3), (0, 3, rows - 2), (2, rows - 2, rows))
        place = torch.randint(0, rows, (rows,), generator=generator, device=device)
        bias = _uniform(3 * outputs, -1.0, 1.0, dtype, generator).view(3, outputs)
        found += [
            (x, weight, slices, None, rows),
            (x, weight, slices, place, rows),
            (x, weight, slices, None, rows, bias),
        ]
    return found


def grouped_layer_examples(
    dtype: torch.dtype, device: torch.device, generator: torch.Generator
) -> Examples:
    """With and without dropout that two sets of rows share, with and without a last bias."""
    found: Examples = []
    for half, inputs, outputs in ((12, 32, 33), (5, 7, 1), (20, 16, 32)):
        x = _uniform(2 * half * inputs, -1.0, 1.0, dtype, generator).view(-1, inputs)
        weight = _uniform(3 * inputs * outputs, -1.0, 1.0, dtype, generator)
        weight = weight.view(3, inputs, outputs)
        slices = ((2, 0, 2), (0, 2, half), (2, half, half + 2), (0, half + 2, 2 * half))
        shift = _uniform(3 * inputs, -0.5, 0.5, dtype, generator).view(3, inputs)
        kept = _uniform(half * inputs, 0.0, 1.0, dtype, generator).view(half, inputs) < 0.5
        bias = _uniform(3 * outputs, -1.0, 1.0, dtype, generator).view(3, outputs)
        found += [
            (x, shift, weight, slices),
            (x, shift, weight, slices, kept, 2.0),
            (x, shift, weight, slices, kept, 2.0, bias),
        ]
    return found


def _uniform(
    count: int, low: float, high: float, dtype: torch.dtype, generator: torch.Generator
) -> Tensor:
    drawn = torch.rand(count, generator=generator, device=generator.device, dtype=dtype)
    return low + (high - low) * drawn
