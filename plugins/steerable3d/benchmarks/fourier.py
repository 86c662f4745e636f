"""Faster convolutions in evaluation, beside conv3d: Fourier transforms, and bfloat16.

`python benchmarks/fourier.py [--json] [--repeats N] [--threads N]`. One volume of 32^3.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import torch
from layer import evaluate
from torch import Tensor, nn

from intertwiner.benchmark import Row, compare, main
from intertwiner_steerable3d.layers.fourier import FourierConv3d

CASES = ((64, 5, 1.6), (32, 7, 2.5), (64, 7, 4.5))
"""(channels, kernel, least ratio)"""


def measure(repeats: int) -> Iterator[Row]:
    """The kernel's transform is kept, as its expansion is."""
    for channels, size, least in CASES:
        kernel = torch.randn(channels, channels, size, size, size)
        x = torch.randn(1, channels, 32, 32, 32)
        plain = partial(convolve, x, kernel)
        yield compare(
            f"Fourier, {channels} channels, {size}^3, 32^3",
            partial(evaluate, FourierConv3d(kernel, None, size // 2), x),
            plain,
            against="conv3d",
            repeats=repeats,
            required=least,
        )
        if size == 5:
            yield compare(
                f"bfloat16, {channels} channels, {size}^3, 32^3",
                partial(convolve, x.bfloat16(), kernel.bfloat16()),
                plain,
                against="conv3d",
                repeats=repeats,
                required=1.8,
            )


@torch.no_grad()
def convolve(x: Tensor, kernel: Tensor) -> Tensor:
    return nn.functional.conv3d(x, kernel, padding=kernel.shape[2] // 2)


if __name__ == "__main__":
    main(__doc__ or "", measure)
