"""A steerable convolution beside the plain one of the same channels, and beside e3nn's.

`python benchmarks/layer.py [--json] [--repeats N] [--threads N]`. No norm: the two do the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import torch
from expansion import e3nn_layer
from torch import Tensor, nn

from intertwiner.benchmark import Row, compare, main
from intertwiner_steerable3d.bases.settings import PAPER
from intertwiner_steerable3d.layers.convolution import SteerableConv3d

CASES = ((4, 5, 16, 1, 1.03), (4, 5, 32, 1, 1.03), (16, 3, 7, 2, 1.08))
"""(fields of each order, kernel, voxels, batch, longest time relative to conv3d)"""


def measure(repeats: int) -> Iterator[Row]:
    """Training steps against conv3d and e3nn, and evaluation against conv3d."""
    for copies, size, side, batch, most in CASES:
        channels = 16 * copies
        types = (copies,) * 4
        ours = SteerableConv3d(types, types, size, basis=PAPER)
        plain = nn.Conv3d(channels, channels, size, padding=size // 2, bias=False)
        x = torch.randn(batch, channels, side, side, side)
        name = f"{channels} channels, {size}^3, {batch} x {side}^3"
        step = partial(train, ours, x)
        yield compare(
            f"layer, {name}, forward + backward",
            step,
            partial(train, plain, x),
            against="conv3d",
            repeats=repeats,
            required=1 / most,
        )
        if side < 32:
            yield compare(
                f"layer, {name}, forward + backward",
                step,
                partial(train, e3nn_layer(copies, size), x),
                against="e3nn",
                repeats=min(repeats, 5),
            )
        yield compare(
            f"layer, {name}, evaluation",
            partial(evaluate, ours.eval(), x),
            partial(evaluate, plain.eval(), x),
            against="conv3d",
            repeats=repeats,
            required=1 / 1.01,
        )


def train(layer: nn.Module, x: Tensor) -> None:
    leaf = x.detach().requires_grad_()
    out = layer(leaf)
    out.backward(out.detach())
    layer.zero_grad()


@torch.no_grad()
def evaluate(layer: nn.Module, x: Tensor) -> None:
    layer(x)


if __name__ == "__main__":
    main(__doc__ or "", measure)
