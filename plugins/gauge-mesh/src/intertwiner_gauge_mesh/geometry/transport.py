"""The direction of a neighbour in a frame, and parallel transport along the edge.

Both are unit complex numbers, `[E, 2]` (cosine, sine); no trigonometric function is called.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["complex_product", "conjugate", "connection", "dot", "opposition", "polar", "powers"]


def polar(
    here: Float[Tensor, "edges 3 3"], offset: Float[Tensor, "edges 3"]
) -> tuple[Float[Tensor, "edges 2"], Float[Tensor, " edges"]]:
    """(e^{i theta}, length of the projection) of offsets x_q - x_p in the frames of p.

    e^{i theta} = (d.X_p + i d.Y_p) / |.|; (1, 0) where the projection vanishes.
    """
    projected = (here[:, :2] @ offset[:, :, None]).squeeze(-1)
    square = dot(projected, projected)
    zero = square == 0
    length = torch.where(zero, torch.ones_like(square), square).sqrt()
    straight = torch.zeros_like(projected)
    straight[:, 0] = 1.0
    direction = torch.where(zero[:, None], straight, projected / length[:, None])
    return direction, length.masked_fill(zero, 0.0)


def connection(
    here: Float[Tensor, "edges 3 3"], there: Float[Tensor, "edges 3 3"]
) -> Float[Tensor, "edges 2"]:
    """e^{i phi} of the transport from q (`there`) to p (`here`) by the least rotation that takes
    n_q to n_p.

    R v = v - (n_p.v) / (1 + n_q.n_p) (n_q + n_p) for v in the tangent plane of q, and
    e^{i phi} = X_p.R X_q + i Y_p.R X_q. Not defined for opposite normals, see `opposition`.
    """
    normal_here, normal_there, x = here[:, 2], there[:, 2], there[:, 0]
    lift = dot(normal_here, x) / (1 + dot(normal_here, normal_there))
    carried = x - lift[:, None] * (normal_here + normal_there)
    turned = (here[:, :2] @ carried[:, :, None]).squeeze(-1)
    return turned * dot(turned, turned).rsqrt()[:, None]


def opposition(
    here: Float[Tensor, "edges 3 3"], there: Float[Tensor, "edges 3 3"]
) -> Float[Tensor, " edges"]:
    """1 + n_q.n_p: 2 on a plane, 0 where normals are opposite."""
    return 1 + dot(here[:, 2], there[:, 2])


def dot(a: Float[Tensor, "rows components"], b: Float[Tensor, "rows components"]) -> Tensor:
    """a.b of every row; written out, since a sum over a short last dimension is slow."""
    total = a[:, 0] * b[:, 0]
    for component in range(1, a.shape[1]):
        total = total + a[:, component] * b[:, component]
    return total


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
