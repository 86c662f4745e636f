"""A whole layer beside e3nn: harmonics, radial network, product and scatter, with derivatives.

Both sides take edge vectors and node features in float32 and have the same radial network,
8-64-64-weights; e3nn's is its `FullyConnectedNet`, `TensorProduct` and `index_add`, ours a radial
table built anew in every run, but for "forward in evaluation".
`python benchmarks/layer.py [--json] [--repeats N]`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from e3nn import o3
from e3nn.nn import FullyConnectedNet
from torch import Tensor

from intertwiner.benchmark import Row, compare, main
from intertwiner_equivariant_conv import RadialBasis, RadialNetwork, spherical_harmonics
from intertwiner_equivariant_conv.kernels.table import table_product_scatter
from intertwiner_equivariant_conv.layers.paths import path_table
from intertwiner_equivariant_conv.layers.radial_table import EdgeDistances, build_table
from intertwiner_equivariant_conv.layers.table_guard import DEGREE, TableGuard

CUTOFF, NEIGHBORS = 5.0, 15
CASES = (
    *((1000, lmax, channels) for lmax, channels in ((1, 32), (1, 64), (2, 32), (2, 64), (3, 32))),
    *((2000, lmax, channels) for lmax in (1, 2) for channels in (32, 64, 128)),
    (2000, 3, 32),
)
"""Nodes, largest order, channels."""
FORWARD, TRAINING = {1: 12.0, 2: 18.0, 3: 20.0}, {1: 12.0, 2: 16.0, 3: 20.0}
FORCE, FORCE_TRAINING = 14.0, 12.0

Layer = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Graph:
    """Random edges, `NEIGHBORS` to every node, 0.9 to 5 angstrom long."""

    nodes: int
    lmax: int
    channels: int
    features: Tensor
    vectors: Tensor
    source: Tensor
    target: Tensor


def make_graph(nodes: int, lmax: int, channels: int) -> Graph:
    generator = torch.Generator().manual_seed(0)
    edges = nodes * NEIGHBORS
    direction = torch.nn.functional.normalize(torch.randn(edges, 3, generator=generator))
    length = 0.9 + (CUTOFF - 0.9) * torch.rand(edges, 1, generator=generator)
    features = torch.randn(nodes, (lmax + 1) ** 2, channels, generator=generator)
    source = torch.randint(0, nodes, (edges,), generator=generator)
    target = torch.arange(nodes).repeat_interleave(NEIGHBORS)
    return Graph(nodes, lmax, channels, features, direction * length, source, target)


def tabulated(graph: Graph, *, keep: bool = False) -> tuple[Layer, list[Tensor]]:
    """(layer, radial weights) of ours. keep: make the table once, as layers in evaluation do."""
    outputs = len(path_table(graph.lmax, graph.lmax)) * graph.channels
    network, basis, guard = (
        RadialNetwork(8, (64, 64), outputs),
        RadialBasis(8, CUTOFF),
        TableGuard(),
    )

    guard.train(not keep)
    kept: list[Tensor] = []

    def run(features: Tensor, vectors: Tensor) -> Tensor:
        distance = vectors.square().sum(1).sqrt()
        harmonics = spherical_harmonics(vectors / distance.unsqueeze(1), graph.lmax)
        knots = guard(network, basis)
        placed = EdgeDistances(basis, distance, keep).placed(knots, DEGREE)
        made = kept or [build_table(network, basis, knots, DEGREE, placed.occupied)]
        table = made[0]
        kept[:] = made if keep else []
        ends = (graph.source, graph.target, graph.nodes)
        return table_product_scatter(
            features, harmonics, placed.powers, table, placed.row, *ends, validate=False
        )

    return run, list(network.parameters())


def with_e3nn(graph: Graph) -> tuple[Layer, list[Tensor]]:
    """(layer, radial weights) of e3nn's."""
    table = path_table(graph.lmax, graph.lmax)
    irreps = [(1, (order, (-1) ** order)) for order in range(graph.lmax + 1)]
    product = o3.TensorProduct(
        [(graph.channels, irrep) for _, irrep in irreps],
        irreps,
        [(graph.channels, (path.l3, (-1) ** path.l3)) for path in table.paths],
        [(path.l1, path.l2, number, "uvu", True) for number, path in enumerate(table.paths)],
        shared_weights=False,
        internal_weights=False,
    )
    silu = torch.nn.functional.silu
    network = FullyConnectedNet([8, 64, 64, len(table) * graph.channels], silu)
    basis = RadialBasis(8, CUTOFF)

    def run(features: Tensor, vectors: Tensor) -> Tensor:
        distance = vectors.square().sum(1).sqrt()
        harmonics = spherical_harmonics(vectors / distance.unsqueeze(1), graph.lmax)
        weights = network(basis(distance))
        message = product(features.flatten(1)[graph.source], harmonics, weights)
        out = message.new_zeros(graph.nodes, message.shape[1])
        return out.index_add(0, graph.target, message)

    return run, list(network.parameters())


def forward(graph: Graph, layer: Layer, _: list[Tensor]) -> object:
    with torch.no_grad():
        return layer(graph.features, graph.vectors)


def training(graph: Graph, layer: Layer, weights: list[Tensor]) -> object:
    """Gradients with respect to features and radial weights."""
    features = graph.features.detach().requires_grad_()
    loss = layer(features, graph.vectors).square().sum()
    return torch.autograd.grad(loss, [features, *weights])


def force(graph: Graph, layer: Layer, _: list[Tensor]) -> object:
    """Gradient with respect to the vectors."""
    vectors = graph.vectors.detach().requires_grad_()
    return torch.autograd.grad(layer(graph.features, vectors).square().sum(), vectors)


def force_training(graph: Graph, layer: Layer, weights: list[Tensor]) -> object:
    """Gradients of |force|^2 with respect to features and radial weights."""
    vectors, features = (t.detach().requires_grad_() for t in (graph.vectors, graph.features))
    energy = layer(features, vectors).square().sum()
    (slope,) = torch.autograd.grad(energy, vectors, create_graph=True)
    return torch.autograd.grad(slope.square().sum(), [features, *weights])


def measure(repeats: int) -> Iterator[Row]:
    for nodes, lmax, channels in CASES:
        graph = make_graph(nodes, lmax, channels)
        ours, theirs = tabulated(graph), with_e3nn(graph)
        works = {
            "forward": (forward, FORWARD[lmax]),
            "training step": (training, TRAINING[lmax]),
        }
        if lmax == 2:
            works["force"] = (force, FORCE)
            works["force training"] = (force_training, FORCE_TRAINING)
        yield compare(
            f"layer, lmax {lmax}, {channels} channels, {nodes} nodes, forward in evaluation",
            functools.partial(forward, graph, *tabulated(graph, keep=True)),
            functools.partial(forward, graph, *theirs),
            against="e3nn",
            repeats=repeats,
        )
        for name, (work, required) in works.items():
            yield compare(
                f"layer, lmax {lmax}, {channels} channels, {nodes} nodes, {name}",
                functools.partial(work, graph, *ours),
                functools.partial(work, graph, *theirs),
                against="e3nn",
                repeats=repeats,
                required=required,
            )


if __name__ == "__main__":
    main(__doc__.splitlines()[0], measure)
