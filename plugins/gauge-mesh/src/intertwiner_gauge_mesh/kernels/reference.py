"""The operation edge by edge, as in its definition: rotate, mix, rotate back, add up.

The oracle of all other kernels, and what every ratio of times is measured against. The vertex
itself is one more edge, whose ring is of its own.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from intertwiner_gauge_mesh.graph import EdgeGraph
from intertwiner_gauge_mesh.kernels.algebra import self_blocks
from intertwiner_gauge_mesh.kernels.rotation import rotate
from intertwiner_gauge_mesh.types import FeatureType

__all__ = ["examples", "gauge_aggregate", "workload"]


def gauge_aggregate(
    x: Float[Tensor, "vertices width_in"],
    weight: Float[Tensor, "rings width_in width_out"],
    self_weight: Float[Tensor, " self_numbers"] | None,
    bias: Float[Tensor, " width_out"] | None,
    graph: EdgeGraph,
    type_in: FeatureType,
    type_out: FeatureType,
) -> Float[Tensor, "vertices width_out"]:
    """See `intertwiner_gauge_mesh.kernels.gauge_aggregate`."""
    graph = graph.cast(x.dtype)
    vertices = torch.arange(graph.vertices, device=x.device)
    turned = rotate(x.index_select(0, graph.source), graph.pre, type_in)
    kernel = torch.cat([_self_ring(x, self_weight, type_in, type_out), weight])
    message = torch.einsum("er,ei,rio->eo", _all_rings(graph), torch.cat([turned, x]), kernel)
    edges, alone = message.split([len(graph.source), graph.vertices])
    if bias is not None:
        edges = edges + graph.edge_weight[:, None] * bias
        alone = alone + _own_weight(graph)[:, None] * _scalars_only(bias, type_out)
    arrived = torch.cat([rotate(edges, graph.post, type_out), alone])
    out = x.new_zeros(graph.vertices, type_out.width)
    return out.index_add(0, torch.cat([graph.target, vertices]), arrived)


def _own_weight(graph: EdgeGraph) -> Float[Tensor, " vertices"]:
    if graph.self_weight is None:
        return graph.post.new_ones(graph.vertices)
    return graph.self_weight


def _all_rings(graph: EdgeGraph) -> Float[Tensor, "edges_and_vertices rings_and_self"]:
    edges = torch.nn.functional.pad(graph.rings, (1, 0))
    alone = torch.nn.functional.pad(_own_weight(graph)[:, None], (0, graph.ring_count))
    return torch.cat([edges, alone])


def _self_ring(
    x: Tensor, self_weight: Tensor | None, type_in: FeatureType, type_out: FeatureType
) -> Float[Tensor, "1 width_in width_out"]:
    """The map of a vertex to itself as one dense matrix."""
    if self_weight is None:
        return x.new_zeros(1, type_in.width, type_out.width)
    rows = []
    blocks = self_blocks(self_weight, type_in, type_out)
    for number, source in enumerate(type_in.blocks):
        height = source.stop - source.start
        if number >= len(blocks):
            rows.append(x.new_zeros(height, type_out.width))
            continue
        target = type_out.blocks[number]
        before, after = target.start, type_out.width - target.stop
        rows.append(torch.nn.functional.pad(blocks[number], (before, after)))
    return torch.cat(rows)[None]


def _scalars_only(bias: Tensor, type_out: FeatureType) -> Float[Tensor, " width_out"]:
    return torch.nn.functional.pad(bias[: type_out.scalars], (0, type_out.width - type_out.scalars))


def examples(
    dtype: torch.dtype, device: torch.device, generator: torch.Generator
) -> list[tuple[Tensor | EdgeGraph | FeatureType | None, ...]]:
    """Arguments on random graphs of degrees 0 to 12 and of several types, for the verifier."""
    from intertwiner_gauge_mesh.kernels.random_graph import random_arguments

    cases = (
        ("3x0+2x1+1x2", "2x0+3x1+2x2", 2, True),
        ("2x0", "3x0+2x1", 1, True),
        ("1x0+2x2", "4x0", 3, False),
        ("4x0+4x1+4x2", "4x0+4x1+4x2", 2, True),
    )
    return [
        random_arguments(kind_in, kind_out, rings, dtype, device, generator, alone=alone)
        for kind_in, kind_out, rings, alone in cases
    ]


def workload(
    dtype: torch.dtype, device: torch.device, generator: torch.Generator
) -> tuple[Tensor | EdgeGraph | FeatureType | None, ...]:
    """The size of a training step: 2,500 vertices of up to 16 neighbours, 16 of each order."""
    from intertwiner_gauge_mesh.kernels.random_graph import random_arguments

    kind = "16x0+16x1+16x2"
    return random_arguments(
        kind, kind, 2, dtype, device, generator, vertices=2_500, highest_degree=16
    )
