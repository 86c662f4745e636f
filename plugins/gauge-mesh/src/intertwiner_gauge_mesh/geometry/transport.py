"""The direction of a neighbour in a frame, and parallel transport along the edge.

Both are unit complex numbers, `[E, 2]` (cosine, sine); no trigonometric function is called.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

__all__ = ["complex_product", "conjugate", "connection", "opposition", "polar", "powers"]


def polar(
    frame: Float[Tensor, "vertices 3 3"],
    offset: Float[Tensor, "edges 3"],
    target: Int[Tensor, " edges"],
) -> tuple[Float[Tensor, "edges 2"], Float[Tensor, " edges"]]:
    """(e^{i theta}, length of the projection) of offsets x_q - x_p in the frames of p.

    e^{i theta} = (d.X_p + i d.Y_p) / |.|; (1, 0) where the projection vanishes.
    """
    projected = (frame[target, :2] @ offset[:, :, None]).squeeze(-1)
    square = projected.square().sum(-1)
    zero = square == 0
    length = torch.where(zero, torch.ones_like(square), square).sqrt()
    straight = torch.zeros_like(projected)
    straight[:, 0] = 1.0
    direction = torch.where(zero[:, None], straight, projected / length[:, None])
    return direction, length.masked_fill(zero, 0.0)


def connection(
    frame: Float[Tensor, "vertices 3 3"],
    target: Int[Tensor, " edges"],
    source: Int[Tensor, " edges"],
) -> Float[Tensor, "edges 2"]:
    """e^{i phi} of the transport from q to p by the least rotation that takes n_q to n_p.

    R v = v - (n_p.v) / (1 + n_q.n_p) (n_q + n_p) for v in the tangent plane of q, and
    e^{i phi} = X_p.R X_q + i Y_p.R X_q. Not defined for opposite normals, see `opposition`.
    """
    here, there = frame[target], frame[source]
    normal_here, normal_there, x = here[:, 2], there[:, 2], there[:, 0]
    nodding = 1 + (normal_here * normal_there).sum(-1, keepdim=True)
    lift = (normal_here * x).sum(-1, keepdim=True) / nodding
    carried = x - lift * (normal_here + normal_there)
    turned = (here[:, :2] @ carried[:, :, None]).squeeze(-1)
    return turned / turned.norm(dim=-1, keepdim=True)


def opposition(
    frame: Float[Tensor, "vertices 3 3"],
    target: Int[Tensor, " edges"],
    source: Int[Tensor, " edges"],
) -> Float[Tensor, " edges"]:
    """1 + n_q.n_p: 2 on a plane, 0 where normals are opposite."""
    return 1 + (frame[target, 2] * frame[source, 2]).sum(-1)


def complex_product(a: Float[Tensor, "... 2"], b: Float[Tensor, "... 2"]) -> Float[Tensor, "... 2"]:
    real = a[..., 0] * b[..., 0] - a[..., 1] * b[..., 1]
    return torch.stack([real, a[..., 0] * b[..., 1] + a[..., 1] * b[..., 0]], -1)


def conjugate(a: Float[Tensor, "... 2"]) -> Float[Tensor, "... 2"]:
    return torch.stack([a[..., 0], -a[..., 1]], -1)


def powers(unit: Float[Tensor, "edges 2"], highest: int) -> Float[Tensor, "highest edges 2"]:
    """z, z^2, ..., z^highest by multiplication."""
    found = [unit]
    while len(found) < highest:
        found.append(complex_product(found[-1], unit))
    return torch.stack(found[:highest]) if highest else unit.new_zeros(0, *unit.shape)
