"""`radial_pool` in plain torch: the definition, differentiable to any order."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from intertwiner_atomic_conv.layers.radial import evaluate_filters

__all__ = ["block_of_edges", "examples", "radial_pool"]


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


def examples(
    dtype: torch.dtype, device: torch.device, generator: torch.Generator
) -> list[tuple[Tensor, ...]]:
    """Arguments to verify and time kernels with: few and many filters, empty blocks."""
    found = []
    for blocks, filters in ((40, 66), (20, 1), (5, 16), (9, 33)):
        counts = torch.randint(0, 6, (blocks,), generator=generator, device=device)
        pointer = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
        edges = int(pointer[-1])

        def uniform(count: int, low: float, high: float) -> Tensor:
            drawn = torch.rand(count, generator=generator, device=device, dtype=dtype)
            return low + (high - low) * drawn

        found.append(
            (
                uniform(edges, 1.0, 9.0),
                pointer,
                uniform(filters, 5.0, 12.0),
                uniform(filters, 0.0, 8.0),
                uniform(filters, 0.1, 1.0),
            )
        )
    return found
