"""The operation in plain torch, without a compiler, beside e3nn's `TensorProduct` and `index_add`.

Two sizes: 2,000 nodes with 30,000 edges, and a batch of 32 molecules of 14 atoms as in training on
small molecules. `python benchmarks/fallback.py [--json] [--repeats N] [--threads N]`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from product import e3nn_product
from torch import Tensor

from intertwiner.benchmark import Row, compare, main
from intertwiner_equivariant_conv.kernels import blocked
from intertwiner_equivariant_conv.layers.paths import path_table
from intertwiner_equivariant_conv.layers.spherical_harmonics import spherical_harmonics

CASES = ((1, 32), (1, 64), (1, 128), (2, 32), (2, 64), (2, 128))
REQUIRED, FROM_CHANNELS = 2.0, 64
"""Forward, at this many channels and more."""

Operation = Callable[..., Tensor]


class Arguments(NamedTuple):
    """Those of the operation, single precision."""

    x: Tensor
    y: Tensor
    w: Tensor
    source: Tensor
    target: Tensor
    nodes: int


def measure(repeats: int) -> Iterator[Row]:
    for size, ends in (("2,000 nodes", random_ends), ("32 molecules", molecule_ends)):
        for lmax, channels in CASES:
            yield from measure_case(size, draw(ends, lmax, channels), repeats)


def measure_case(size: str, given: Arguments, repeats: int) -> Iterator[Row]:
    lmax, channels = int(given.x.shape[1] ** 0.5) - 1, given.x.shape[2]
    ours, other = blocked.tensor_product_scatter, e3nn_product(lmax, channels)
    for name, mode in MODES.items():
        required = REQUIRED if mode is forward and channels >= FROM_CHANNELS else None
        yield compare(
            f"plain torch, {size}, lmax {lmax}, {channels} channels, {name}",
            functools.partial(mode, ours, given),
            functools.partial(mode, other, given),
            against="e3nn",
            repeats=repeats,
            required=required,
        )


def forward(run: Operation, given: Arguments) -> None:
    with torch.no_grad():
        run(*given)


def first(run: Operation, given: Arguments) -> None:
    """Gradients for features and weights, as in training without forces."""
    x, w = (tensor.detach().requires_grad_() for tensor in (given.x, given.w))
    out = run(x, given.y, w, *given[3:])
    torch.autograd.grad(out.sum(), (x, w))


def second(run: Operation, given: Arguments) -> None:
    """Gradients of a function of all gradients, as in training on forces."""
    leaves = [tensor.detach().requires_grad_() for tensor in given[:3]]
    out = run(*leaves, *given[3:]).square().sum()
    slopes = torch.autograd.grad(out, leaves, create_graph=True)
    torch.autograd.grad(torch.stack([slope.square().sum() for slope in slopes]).sum(), leaves)


MODES = {"forward": forward, "forward + backward": first, "double backward": second}


def draw(
    ends: Callable[[torch.Generator], tuple[Tensor, Tensor, int]], lmax: int, channels: int
) -> Arguments:
    generator = torch.Generator().manual_seed(0)
    source, target, nodes = ends(generator)
    edges = len(source)
    direction = torch.nn.functional.normalize(torch.randn(edges, 3, generator=generator))
    features = torch.randn(nodes, (lmax + 1) ** 2, channels, generator=generator)
    weights = torch.randn(edges, len(path_table(lmax, lmax)) * channels, generator=generator)
    harmonics = spherical_harmonics(direction, lmax)
    return Arguments(features, harmonics, weights, source, target, nodes)


def random_ends(
    generator: torch.Generator, nodes: int = 2000, edges: int = 30_000
) -> tuple[Tensor, Tensor, int]:
    source, target = torch.randint(0, nodes, (2, edges), generator=generator)
    return source, target.sort().values, nodes


def molecule_ends(
    generator: torch.Generator, molecules: int = 32, atoms: int = 14, neighbors: int = 10
) -> tuple[Tensor, Tensor, int]:
    """Every atom with some of the others of its molecule."""
    nodes = molecules * atoms
    target = torch.arange(nodes).repeat_interleave(neighbors)
    offset = torch.randint(1, atoms, target.shape, generator=generator)
    return target // atoms * atoms + (target % atoms + offset) % atoms, target, nodes


if __name__ == "__main__":
    main(__doc__ or "", measure)
