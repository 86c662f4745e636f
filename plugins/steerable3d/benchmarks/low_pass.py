"""The low-pass filter as banded matrix products beside the dense depthwise convolution.

`python benchmarks/low_pass.py [--json] [--repeats N] [--threads N]`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import torch
from torch import Tensor, nn

from intertwiner.benchmark import Row, compare, main
from intertwiner_steerable3d.layers.low_pass import LowPass, filter_taps


def measure(repeats: int) -> Iterator[Row]:
    """Scale 2, stride 1 and 2, forward."""
    taps = filter_taps(2.0).float()
    kernel = torch.einsum("x,y,z->xyz", taps, taps, taps)
    for batch, channels, side in ((2, 64, 32), (2, 144, 40)):
        x = torch.randn(batch, channels, side, side, side)
        own = kernel.expand(channels, 1, -1, -1, -1).contiguous()
        for stride in (1, 2):
            yield compare(
                f"low-pass, [{batch}, {channels}, {side}^3], stride {stride}",
                partial(LowPass(2.0, stride), x),
                partial(dense, x, own, stride),
                against="depthwise conv3d",
                repeats=repeats,
                required=3.0 if stride == 1 else None,
            )


def dense(x: Tensor, kernel: Tensor, stride: int) -> Tensor:
    return nn.functional.conv3d(x, kernel, stride=stride, padding=2, groups=x.shape[1])


if __name__ == "__main__":
    main(__doc__ or "", measure)
