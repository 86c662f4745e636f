"""An equivariant point network: messages of invariants along the edges of the mesh.

h_p <- h_p + MLP(h_p, sum_q m_pq / 6), m_pq = MLP(h_p, h_q, invariants of the edge): |d|,
n_p.d, n_q.d, n_p.n_q, and for fields u and v: u_q - u_p, v_p.d, v_q.d, v_p.v_q. Vectors and
tensors are read out as weighted sums of d and of d d^T.

After Satorras, Hoogeboom and Welling, arXiv 2102.09844.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from intertwiner.fields import Field, Irreps
from intertwiner.schema import Schema
from intertwiner_gauge_mesh.baselines.config import PointConfig
from intertwiner_gauge_mesh.baselines.network import BaselineNetwork, Fields, keep_size, width_of
from intertwiner_gauge_mesh.layers.ambient import to_irreps
from intertwiner_gauge_mesh.plan import MeshPlan

__all__ = ["PointNetwork", "build_point"]

USUAL_DEGREE = 6


class PointNetwork(BaselineNetwork):
    """See above."""

    def __init__(self, config: PointConfig, schema: Schema) -> None:
        super().__init__(config, schema)
        self.config = config
        channels, edges = config.channels, self._edge_width()
        start = 1 + self.scalar_width + len(self.vectors)
        self.embed = nn.Linear(start, channels)
        self.messages = nn.ModuleList(
            _mlp(2 * channels + edges, channels, channels) for _ in range(config.layers)
        )
        self.updates = nn.ModuleList(
            _mlp(2 * channels, channels, channels) for _ in range(config.layers)
        )
        self.heads = nn.ModuleDict(
            {field.name: self._head(field, channels, edges) for field in schema.targets}
        )
        keep_size(self)

    def _edge_width(self) -> int:
        pairs = len(self.scalars) * len(self.vectors) if self.config.strong else 0
        return 4 + len(self.scalars) + 3 * len(self.vectors) + pairs

    def _head(self, field: Field, channels: int, edges: int) -> nn.Module:
        """Of vertices for scalars and classes, of edges for vectors and tensors."""
        if not isinstance(field.rep, Irreps):
            return _mlp(channels, channels, width_of(field))
        count = sum(channels for channels, _, _ in field.rep.blocks)
        return _mlp(2 * channels + edges, channels, count)

    def values(self, plan: MeshPlan, fields: Fields) -> dict[str, Tensor]:
        """Scalars and classes from the vertices; vectors and tensors from the edges."""
        direction, invariants = self._edges(plan, fields)
        own = [torch.ones_like(plan.pos[:, :1]), fields.scalars, fields.vectors.norm(dim=2)]
        h = self.embed(torch.cat(own, 1))
        for message, update in zip(self.messages, self.updates, strict=True):
            sent = message(self._ends(plan, h, invariants))
            received = torch.zeros_like(h).index_add(0, plan.target, sent) / USUAL_DEGREE
            h = h + update(torch.cat([h, received], 1))
        ends = self._ends(plan, h, invariants)
        return {
            field.name: _read(field, plan, direction, self.heads[field.name](ends))
            if isinstance(field.rep, Irreps)
            else self.heads[field.name](h)
            for field in self.schema.targets
        }

    def _ends(self, plan: MeshPlan, h: Tensor, invariants: Tensor) -> Float[Tensor, "edges width"]:
        return torch.cat([h[plan.target], h[plan.source], invariants], 1)

    def _edges(self, plan: MeshPlan, fields: Fields) -> tuple[Tensor, Tensor]:
        """(d in mean edges [e, 3], invariants [e, width])."""
        p, q = plan.target, plan.source
        d = (plan.pos[q] - plan.pos[p]) / float(self.unit)
        n_p, n_q = plan.normal[p], plan.normal[q]
        given = fields.scalars[:, : len(self.scalars)]  # without the place, whose steps d tells
        step = given[q] - given[p]
        v_p, v_q = fields.vectors[p], fields.vectors[q]
        along = (v_p * d[:, None]).sum(2)
        columns = [
            d.norm(dim=1, keepdim=True),
            (n_p * d).sum(1, keepdim=True),
            (n_q * d).sum(1, keepdim=True),
            (n_p * n_q).sum(1, keepdim=True),
            step,
            along,
            (v_q * d[:, None]).sum(2),
            (v_p * v_q).sum(2),
        ]
        if self.config.strong:
            square = d.square().sum(1)[:, None, None]
            columns.append((along[:, :, None] * step[:, None] / square).flatten(1))
        return d, torch.cat(columns, 1)


def _mlp(width: int, hidden: int, out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(width, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(),
        nn.Linear(hidden, out),
    )  # fmt: skip


def _read(
    field: Field, plan: MeshPlan, d: Float[Tensor, "edges 3"], weights: Float[Tensor, "edges count"]
) -> Float[Tensor, "vertices width"]:
    """Means over neighbours of w, w d and w d d^T without trace, block by block."""
    assert isinstance(field.rep, Irreps)
    parts, start = [], 0
    tensors = to_irreps(d[:, :, None] * d[:, None, :])[:, 1:]
    for channels, order, _ in field.rep.blocks:
        weight = weights[:, start : start + channels, None]
        start += channels
        basis = (torch.ones_like(d[:, :1]), d, tensors)[order]
        parts.append((weight * basis[:, None]).flatten(1))
    rows = torch.cat(parts, 1)
    total = rows.new_zeros(plan.vertices, rows.shape[1]).index_add(0, plan.target, rows)
    return total / plan.degree.clamp(min=1).to(rows.dtype)[:, None]


def build_point(config: PointConfig, schema: Schema) -> PointNetwork:
    """The network for the targets of `schema`."""
    return PointNetwork(config, schema)
