"""The compiled radial pooling beside its reference in plain torch, and beside its floor.

The floor is one exponential, one cosine and one sine for each edge and filter, taken by torch in
this process, and the products of the first layer, forward and backward. Goal 5 of the plugin
allows 1.5 times that for both kernels together, a ratio of 0.67.
`python benchmarks/radial.py [--json] [--repeats N] [--threads N]`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from intertwiner.benchmark import Row, compare, main
from intertwiner_atomic_conv.kernels import reference
from intertwiner_atomic_conv.kernels.compiled import linear, pool
from intertwiner_atomic_conv.presets import CORE_CUTOFFS

EDGES, BLOCKS, NODES, PAIRS, WIDTH = 24_206, 9_731, 1_668, 70, 32
"""Of a batch of 24 complexes, and of the first layer's pairs of buckets."""
CACHED = 1 << 12


def measure(repeats: int) -> Iterator[Row]:
    """Forward and backward of all filters of `core`."""
    yield compare(
        f"radial_pool, {EDGES} edges, 66 filters, forward + backward",
        _work(pool.radial_pool),
        _work(reference.radial_pool),
        against="plain torch",
        repeats=repeats,
        required=4.0,
    )
    yield compare(
        f"radial_pool and the first layer, {BLOCKS} blocks, forward + backward",
        _both_kernels(),
        _floor(),
        against="floor: exp, cos, sin, products",
        repeats=repeats,
        required=1 / 1.5,
    )


def _both_kernels() -> Callable[[], object]:
    pooled, weight, place = _first_layer()
    bounds = torch.linspace(0, BLOCKS, PAIRS + 1).long().tolist()
    slices = [(n, a, b) for n, (a, b) in enumerate(itertools.pairwise(bounds))]
    grad = torch.randn(3 * NODES, WIDTH, generator=torch.Generator().manual_seed(2))
    radial = _work(pool.radial_pool)

    def work() -> object:
        out = linear.grouped_linear(pooled, weight, slices, place, 3 * NODES)
        return radial(), torch.autograd.grad(out, (pooled, weight), grad)

    return work


def _floor() -> Callable[[], object]:
    """Functions of numbers that stay in the cache, as in a fused kernel, and dense products."""
    pooled, weight, _ = _first_layer()
    dense, row, grad = pooled.detach(), torch.rand(CACHED), torch.randn(BLOCKS, WIDTH)
    matrix, out = weight.detach()[0], torch.empty(CACHED)

    def work() -> object:
        for _ in range(EDGES * pooled.shape[1] // CACHED):
            for function in (torch.exp, torch.cos, torch.sin):
                function(row, out=out)
        return dense @ matrix, grad @ matrix.t(), dense.t() @ grad

    return work


def _first_layer() -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    pooled = torch.rand(BLOCKS, 66, generator=generator).requires_grad_()
    weight = torch.randn(PAIRS, 66, WIDTH, generator=generator).requires_grad_()
    return pooled, weight, torch.randint(0, 3 * NODES, (BLOCKS,), generator=generator)


def _work(run: Callable[..., Tensor]) -> Callable[[], object]:
    generator = torch.Generator().manual_seed(0)
    owner = torch.randint(0, BLOCKS, (EDGES,), generator=generator)
    counts = torch.bincount(owner, minlength=BLOCKS)
    pointer = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
    distance = 1.5 + 5.0 * torch.rand(EDGES, generator=generator)
    grid = torch.tensor(list(itertools.product(CORE_CUTOFFS, (0.0, 4.0, 8.0), (0.4,))))
    filters = [column.clone().requires_grad_() for column in grid.unbind(1)]
    weights = torch.randn(BLOCKS, len(grid), generator=generator)

    def work() -> object:
        return torch.autograd.grad(run(distance, pointer, *filters), filters, weights)

    return work


if __name__ == "__main__":
    main(__doc__ or "", measure)
