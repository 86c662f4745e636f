"""The compiled product with given radial weights beside e3nn's `TensorProduct` and `index_add`.

2,000 nodes, 30,000 edges between random ones, float32. e3nn works on its own layout; values are
not rearranged for it. Gradients are those by features and weights; with those by harmonics too
where the row says forces. `python benchmarks/product.py [--json] [--repeats N] [--threads N]`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from e3nn import o3
from torch import Tensor

from intertwiner.benchmark import Row, compare, main
from intertwiner_equivariant_conv.kernels import tensor_product_scatter
from intertwiner_equivariant_conv.layers.paths import path_table
from intertwiner_equivariant_conv.layers.spherical_harmonics import spherical_harmonics

NODES, EDGES = 2_000, 30_000
CASES = tuple((lmax, channels) for lmax in (1, 2) for channels in (32, 64, 128))

Product = Callable[..., Tensor]
Graph = tuple[Tensor, Tensor, Tensor, Tensor, Tensor, int]


def measure(repeats: int) -> Iterator[Row]:
    """Forward and gradients for every order and width."""
    modes = (
        ("forward", forward, 25.0),
        ("forward + backward", backward, 20.0),
        ("forward + backward, forces", backward_all, None),
    )
    for lmax, channels in CASES:
        graph, other = make_graph(lmax, channels), e3nn_product(lmax, channels)
        for name, mode, required in modes:
            yield compare(
                f"product, lmax {lmax}, {channels} channels, {name}",
                lambda mode=mode, graph=graph: mode(tensor_product_scatter, *graph),
                lambda mode=mode, graph=graph, other=other: mode(other, *graph),
                against="e3nn",
                repeats=repeats,
                required=required,
            )


def make_graph(lmax: int, channels: int) -> Graph:
    """Arguments of the operation, with edges sorted by target."""
    generator = torch.Generator().manual_seed(0)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator)

    source, target = torch.randint(0, NODES, (2, EDGES), generator=generator)
    harmonics = spherical_harmonics(torch.nn.functional.normalize(normal(EDGES, 3)), lmax)
    features = normal(NODES, (lmax + 1) ** 2, channels)
    weights = normal(EDGES, len(path_table(lmax, lmax)) * channels)
    return features, harmonics, weights, source, target.sort().values, NODES


def e3nn_product(lmax: int, channels: int) -> Product:
    """The same operation from e3nn, on its own layout."""
    table = path_table(lmax, lmax)
    irreps = [(1, (order, (-1) ** order)) for order in range(lmax + 1)]
    product = o3.TensorProduct(
        [(channels, ir) for _, ir in irreps],
        irreps,
        [(channels, (path.l3, (-1) ** path.l3)) for path in table.paths],
        [(path.l1, path.l2, number, "uvu", True) for number, path in enumerate(table.paths)],
        shared_weights=False,
        internal_weights=False,
    )

    def run(x: Tensor, y: Tensor, w: Tensor, source: Tensor, target: Tensor, nodes: int) -> Tensor:
        message = product(x.flatten(1)[source], y, w)
        return x.new_zeros(nodes, message.shape[1]).index_add(0, target, message)

    return run


def forward(run: Product, *graph: Any) -> None:
    with torch.no_grad():
        run(*graph)


def backward(run: Product, x: Tensor, y: Tensor, w: Tensor, *graph: Any) -> None:
    leaves = x.detach().requires_grad_(), w.detach().requires_grad_()
    out = run(leaves[0], y, leaves[1], *graph)
    torch.autograd.grad(out, leaves, torch.ones_like(out))


def backward_all(run: Product, x: Tensor, y: Tensor, w: Tensor, *graph: Any) -> None:
    leaves = [tensor.detach().requires_grad_() for tensor in (x, y, w)]
    out = run(*leaves, *graph)
    torch.autograd.grad(out, leaves, torch.ones_like(out))


if __name__ == "__main__":
    main(__doc__ or "", measure)
