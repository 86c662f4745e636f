from __future__ import annotations

import torch
from torch import Tensor


def square(x: Tensor) -> Tensor:
    return x * x


def failing(x: Tensor) -> Tensor:
    raise RuntimeError(f"no such instruction for {tuple(x.shape)}")


def wrong(x: Tensor) -> Tensor:
    return x * x * 1.01


def examples(
    dtype: torch.dtype, device: torch.device, generator: torch.Generator
) -> list[tuple[Tensor, ...]]:
    return [(torch.randn(5, dtype=dtype, device=device, generator=generator),)]
