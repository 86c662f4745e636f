"""The edges of a layer with their weights and phases: what `gauge_aggregate` runs over.

    out_p = s_p (K_self f_p + b_0)
            + sum_{e = (p <- q)} rho(post_e) (sum_r w_er W_r rho(pre_e) f_q + w_e b)

with post_e = theta_e, pre_e = phi_e - theta_e, w_e the weight of the edge among its neighbours, and
w_er = w_e times its weight in ring r. s_p is the weight of the vertex itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from intertwiner_gauge_mesh.geometry.edges import row_pointers
from intertwiner_gauge_mesh.geometry.transport import conjugate

__all__ = ["EdgeGraph"]


@dataclass(frozen=True, eq=False)
class EdgeGraph:
    """Edges sorted by target; `post` and `pre` are unit complex numbers, `[E, 2]`.

    rings: weight of each edge in each ring, times its weight among the neighbours.
    edge_weight: the latter alone, with which the bias is summed.
    self_weight: s_p above; None where it is 1 everywhere.
    cache: what kernels derive from the graph, by a name of their own.
    """

    vertices: int
    indptr: Int[Tensor, " vertices_plus_1"]
    target: Int[Tensor, " edges"]
    source: Int[Tensor, " edges"]
    post: Float[Tensor, "edges 2"]
    pre: Float[Tensor, "edges 2"]
    rings: Float[Tensor, "edges rings"]
    edge_weight: Float[Tensor, " edges"]
    self_weight: Float[Tensor, " vertices"] | None = None
    cache: dict[Any, Any] = field(default_factory=dict, repr=False)

    @property
    def ring_count(self) -> int:
        return self.rings.shape[1]

    @property
    def differentiable(self) -> bool:
        """Whether angles or weights carry a gradient of their own."""
        return self.post.requires_grad or self.pre.requires_grad or self.rings.requires_grad

    def cast(self, dtype: torch.dtype) -> EdgeGraph:
        """The same graph with numbers of another precision; kept once made."""
        if self.post.dtype == dtype:
            return self
        if dtype not in self.cache:
            self.cache[dtype] = replace(
                self,
                post=self.post.to(dtype),
                pre=self.pre.to(dtype),
                rings=self.rings.to(dtype),
                edge_weight=self.edge_weight.to(dtype),
                self_weight=None if self.self_weight is None else self.self_weight.to(dtype),
                cache={},
            )
        found: EdgeGraph = self.cache[dtype]
        return found

    def reversed(self) -> EdgeGraph:
        """Targets and sources swapped, pre' = -post and post' = -pre: the transposed map.

        `edge_weight` and `self_weight` stay those of the edge and vertex.
        """
        if "reversed" not in self.cache:
            order = torch.sort(self.source, stable=True).indices
            self.cache["reversed"] = replace(
                self,
                indptr=row_pointers(self.source, self.vertices),
                target=self.source[order],
                source=self.target[order],
                post=conjugate(self.pre)[order],
                pre=conjugate(self.post)[order],
                rings=self.rings[order],
                edge_weight=self.edge_weight[order],
                cache={},
            )
        found: EdgeGraph = self.cache["reversed"]
        return found
