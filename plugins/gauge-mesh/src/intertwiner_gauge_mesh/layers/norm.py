"""Root-mean-square normalisation of every channel, at every vertex or over every mesh."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from intertwiner_gauge_mesh.plan import MeshPlan
from intertwiner_gauge_mesh.types import FeatureType, TypeLike

__all__ = ["GaugeRMSNorm"]


class GaugeRMSNorm(nn.Module):
    """z_c -> g_c z_c / sqrt(mean |z|^2 + eps), and a shift of the scalars.

    over: the mean is over the vertices of the mesh ("mesh", channel by channel) or over the
    channels of one order at a vertex ("vertex"); never over the other meshes of a batch.
    """

    def __init__(
        self, kind: TypeLike, *, over: Literal["mesh", "vertex"] = "mesh", eps: float = 1e-6
    ) -> None:
        super().__init__()
        self.kind, self.over, self.eps = FeatureType.parse(kind), over, eps
        self.scale = nn.Parameter(torch.ones(self.kind.channels))
        self.shift = nn.Parameter(torch.zeros(self.kind.scalars))

    def forward(
        self, x: Float[Tensor, "vertices width"], plan: MeshPlan
    ) -> Float[Tensor, "vertices width"]:
        """Commutes exactly with turning the frames."""
        parts = []
        scales = self.scale.split(self.kind.multiplicities)
        for block, scale in zip(self.kind.blocks, scales, strict=True):
            fields = x[:, block.start : block.stop].reshape(len(x), -1, block.count)
            square = fields.square().sum(1)
            mean = square.mean(1, keepdim=True) if self.over == "vertex" else _over(plan, square)
            parts.append((fields * (scale * (mean + self.eps).rsqrt())[:, None]).flatten(1))
        parts[0] = parts[0] + self.shift
        return torch.cat(parts, 1)


def _over(plan: MeshPlan, values: Tensor) -> Float[Tensor, "vertices channels"]:
    """The mean over the used vertices of each mesh, at every vertex of it; mesh by mesh, so that
    a mesh has the same bits in any batch."""
    used = plan.used.to(values.dtype)[:, None]
    rows = []
    for start, stop in zip(plan.ptr, plan.ptr[1:], strict=False):
        count = used[start:stop].sum().clamp(min=1)
        mean = (values[start:stop] * used[start:stop]).sum(0, keepdim=True) / count
        rows.append(mean.expand(stop - start, -1))
    return torch.cat(rows) if rows else values
