"""Random arguments of the operation, to verify and time kernels without a mesh."""

from __future__ import annotations

import torch
from torch import Tensor

from intertwiner_gauge_mesh.geometry.edges import row_pointers
from intertwiner_gauge_mesh.graph import EdgeGraph
from intertwiner_gauge_mesh.kernels.algebra import self_numbers
from intertwiner_gauge_mesh.types import FeatureType

__all__ = ["random_arguments", "random_edges"]


def random_edges(
    vertices: int, highest_degree: int, rings: int, generator: torch.Generator
) -> EdgeGraph:
    """Degrees from 0 to `highest_degree`, random angles, at most two rings an edge (float64)."""
    device = generator.device
    degree = torch.randint(0, highest_degree + 1, (vertices,), generator=generator, device=device)
    if vertices:
        degree[-1] = highest_degree
    target = torch.arange(vertices, device=device).repeat_interleave(degree)
    edges = len(target)
    source = torch.randint(0, max(1, vertices), (edges,), generator=generator, device=device)

    def uniform(*shape: int) -> Tensor:
        return torch.rand(shape, generator=generator, device=device, dtype=torch.float64)

    def units() -> Tensor:
        angle = 2 * torch.pi * uniform(edges)
        return torch.stack([angle.cos(), angle.sin()], -1)

    share = uniform(edges)
    hats = torch.zeros(edges, rings, dtype=torch.float64, device=device)
    first = (uniform(edges) * rings).long().clamp(max=rings - 1)
    fraction = uniform(edges)
    hats.scatter_add_(1, first[:, None], 1 - fraction[:, None])
    hats.scatter_add_(1, (first + 1).clamp(max=rings - 1)[:, None], fraction[:, None])
    return EdgeGraph(
        vertices=vertices,
        indptr=row_pointers(target, vertices),
        target=target,
        source=source,
        post=units(),
        pre=units(),
        rings=hats * share[:, None],
        edge_weight=share,
        self_weight=uniform(vertices),
    )


def random_arguments(
    kind_in: str,
    kind_out: str,
    rings: int,
    dtype: torch.dtype,
    device: torch.device,
    generator: torch.Generator,
    *,
    vertices: int = 23,
    highest_degree: int = 12,
    alone: bool = True,
) -> tuple[Tensor | EdgeGraph | FeatureType | None, ...]:
    """All arguments of `gauge_aggregate`; alone: with the map of a vertex to itself and a bias."""
    type_in, type_out = FeatureType.parse(kind_in), FeatureType.parse(kind_out)
    graph = random_edges(vertices, highest_degree, rings, generator)
    # Numbers that float32 holds exactly, so that every precision sees the same graph.
    graph = graph.cast(torch.float32).cast(dtype) if dtype != torch.float64 else _rounded(graph)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, device=device, dtype=dtype)

    return (
        normal(vertices, type_in.width),
        normal(rings, type_in.width, type_out.width),
        normal(self_numbers(type_in, type_out)) if alone else None,
        normal(type_out.width) if alone else None,
        graph,
        type_in,
        type_out,
    )


def _rounded(graph: EdgeGraph) -> EdgeGraph:
    return graph.cast(torch.float32).cast(torch.float64)
