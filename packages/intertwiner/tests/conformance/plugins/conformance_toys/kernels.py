"""The sum of x exp(-y^2) over neighbours, right and wrong in each order of derivative."""

from __future__ import annotations

import torch


def examples(dtype, device, generator):
    sizes = ((4, 3), (9, 5))
    return [
        tuple(torch.randn(size, generator=generator, dtype=dtype, device=device) for _ in range(2))
        for size in sizes
    ]


def no_examples(dtype, device, generator):
    return []


def integers(dtype, device, generator):
    return [(torch.zeros(3, dtype=dtype), torch.zeros(3, dtype=dtype))]


def reference(x, y):
    return (x * torch.exp(-y.square())).sum(-1)


def good(x, y):
    return torch.einsum("...i,...i->...", x, torch.exp(-y * y))


def wrong_value(x, y):
    return good(x, y) * (1 + 1e-3)


def wrong_first(x, y):
    return good(x, y) + 1e-2 * (y - y.detach()).sum(-1)


def wrong_second(x, y):
    return good(x, y) + 1e-2 * (y - y.detach()).square().sum(-1)


def wrong_shape(x, y):
    return good(x, y)[None]


def raises(x, y):
    raise RuntimeError("unsupported warp size")


def blind(x, y):
    return torch.zeros(len(x), dtype=x.dtype) * x.sum()
