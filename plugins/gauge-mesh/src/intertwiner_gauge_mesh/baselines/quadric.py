"""Curvature of a mesh by formula: a quadric fitted to the two rings of neighbours of a vertex."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from intertwiner_gauge_mesh.geometry.edges import sort_pairs
from intertwiner_gauge_mesh.plan import MeshPlan

__all__ = ["quadric_shape_tensors", "shrinking_factor", "two_rings"]


def two_rings(plan: MeshPlan) -> tuple[Int[Tensor, " pairs"], Int[Tensor, " pairs"]]:
    """(vertex, neighbour) for neighbours and their neighbours, each once, by vertex."""
    count = plan.degree[plan.source]
    first = plan.target.repeat_interleave(count)
    start = plan.indptr[plan.source].repeat_interleave(count)
    ends = count.cumsum(0)
    within = torch.arange(len(first), device=first.device) - (ends - count).repeat_interleave(count)
    second = plan.source[start + within]
    return sort_pairs(
        torch.cat([plan.target, first]), torch.cat([plan.source, second]), plan.vertices
    )


def quadric_shape_tensors(plan: MeshPlan) -> Float[Tensor, "vertices 3 3"]:
    """w = c_1 u + c_2 v + a u^2/2 + b u v + c v^2/2 fitted by least squares over two rings.

    (u, v, w) are coordinates in the vertex's frame. With the slopes c the first and second
    fundamental forms of the graph give the shape tensor in space, positive where the surface bends
    away from its normal.
    """
    pair, source = two_rings(plan)
    d = plan.pos.double()[source] - plan.pos.double()[pair]
    frames = plan.frame.double()
    u, v, w = (frames[pair] @ d[:, :, None]).squeeze(-1).unbind(1)
    size = (u * u + v * v).mean().sqrt()
    u, v, w = u / size, v / size, w / size
    rows = torch.stack([u, v, u * u / 2, u * v, v * v / 2], 1)
    normal = rows.new_zeros(plan.vertices, 5, 5)
    normal.index_add_(0, pair, rows[:, :, None] * rows[:, None, :])
    right = rows.new_zeros(plan.vertices, 5).index_add_(0, pair, rows * w[:, None])
    ridge = 1e-9 * torch.eye(5, dtype=rows.dtype, device=rows.device)
    found = torch.linalg.solve(normal + ridge, right)
    return _shape_tensors(found, frames) / size


def _shape_tensors(
    fitted: Float[Tensor, "vertices 5"], frames: Float[Tensor, "vertices 3 3"]
) -> Float[Tensor, "vertices 3 3"]:
    """J I^-1 II I^-1 J^T of the graph (u, v, w(u, v)) at its origin."""
    p, q, a, b, c = fitted.unbind(1)
    zero, one = torch.zeros_like(p), torch.ones_like(p)
    jacobian = torch.stack([one, zero, zero, one, p, q], 1).reshape(-1, 3, 2)
    second = -torch.stack([a, b, b, c], 1).reshape(-1, 2, 2)
    second = second / (1 + p * p + q * q).sqrt()[:, None, None]
    raised = torch.linalg.solve(jacobian.mT @ jacobian, jacobian.mT)
    local = raised.mT @ second @ raised
    return frames.mT @ local @ frames


def shrinking_factor(pairs: Iterable[tuple[Tensor, Tensor]]) -> float:
    """The number f that minimises sum |f x - y|^2 over (prediction x, truth y)."""
    products, squares = 0.0, 0.0
    for x, y in pairs:
        products += float((x * y).sum())
        squares += float(x.square().sum())
    return products / squares if squares else 0.0
