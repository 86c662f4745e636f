"""The compiled radial pooling beside its reference in plain torch, and beside its floor.

The floor is 4.3 ns for each edge and filter, forward and backward. Goal 5 of the plugin allows
1.5 times that and the products of the first layer.
`python benchmarks/radial.py [--json] [--repeats N] [--threads N]`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from intertwiner.benchmark import Row, compare, main
from intertwiner_atomic_conv.kernels import reference
from intertwiner_atomic_conv.kernels.compiled import pool
from intertwiner_atomic_conv.presets import CORE_CUTOFFS

EDGES, BLOCKS = 24_206, 9_731
"""Of a batch of 24 complexes."""


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
