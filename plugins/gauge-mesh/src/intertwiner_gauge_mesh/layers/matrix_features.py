"""What a vertex knows of its neighbourhood without any field: second moments in its frame.

For the pairs (a, b) of (d, d), (n_q, n_q) and (d, n_q), d = x_q - x_p, the matrix
m = F_p mean_q(a b^T) F_p^T has scalars, tangent vectors and fields of order 2 for parts. They do
not change when the mesh is moved or turned in space.
"""

from __future__ import annotations

from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor

from intertwiner_gauge_mesh.plan import MeshPlan
from intertwiner_gauge_mesh.types import FeatureType

__all__ = ["MATRIX_TYPE", "matrix_channels", "matrix_features", "neighbour_moments"]

MATRIX_TYPE: Final = FeatureType((7, 4, 3))


def neighbour_moments(plan: MeshPlan, unit: float = 1.0) -> Float[Tensor, "vertices 3 3 3"]:
    """m for (d, d), (n, n), (d, n), indices X, Y, n; d in multiples of `unit`."""
    frames = plan.frame[plan.target]
    offset = (plan.pos[plan.source] - plan.pos[plan.target]) / unit
    d = (frames @ offset[:, :, None]).squeeze(-1)
    n = (frames @ plan.normal[plan.source][:, :, None]).squeeze(-1)
    pairs = torch.stack([_outer(d, d), _outer(n, n), _outer(d, n)], 1)
    total = pairs.new_zeros(plan.vertices, 3, 3, 3).index_add(0, plan.target, pairs)
    return total / plan.degree.clamp(min=1)[:, None, None, None]


def matrix_features(plan: MeshPlan, unit: float = 1.0) -> Float[Tensor, "vertices 21"]:
    """The parts as features of type 7x0+4x1+3x2; unit: a length, the training meshes' mean edge."""
    m = neighbour_moments(plan, unit)
    dd, nn, dn = m.unbind(1)
    trace = [0.5 * (item[:, 0, 0] + item[:, 1, 1]) for item in (dd, nn, dn)]
    high = [item[:, 2, 2] for item in (dd, nn, dn)]
    turn = 0.5 * (dn[:, 1, 0] - dn[:, 0, 1])
    scalars = [trace[0], high[0], trace[1], high[1], turn, trace[2], high[2]]
    vectors = [dd[:, 2, :2], nn[:, 2, :2], dn[:, 2, :2], dn[:, :2, 2]]
    tensors = [
        torch.stack(
            [0.5 * (item[:, 0, 1] + item[:, 1, 0]), 0.5 * (item[:, 1, 1] - item[:, 0, 0])], 1
        )
        for item in (dd, nn, dn)
    ]
    parts = [torch.stack(scalars, 1)]
    parts += [torch.stack(fields, 2).flatten(1) for fields in (vectors, tensors)]
    return torch.cat(parts, 1)


def matrix_channels(plan: MeshPlan) -> Float[Tensor, "vertices 7 5"]:
    """The same numbers as 7 channels of orders 0, 1, 2, of which 14 are zero: the exchange layout
    of the authors' networks."""
    x = matrix_features(plan)
    out = x.new_zeros(len(x), 7, 5)
    vectors, tensors = [0, 2, 4, 5], [0, 2, 4]
    out[:, :, 0] = x[:, :7]
    out[:, vectors, 1], out[:, vectors, 2] = x[:, 7:11], x[:, 11:15]
    out[:, tensors, 3], out[:, tensors, 4] = x[:, 15:18], x[:, 18:21]
    return out


def _outer(a: Tensor, b: Tensor) -> Float[Tensor, "edges 3 3"]:
    return a[:, :, None] * b[:, None, :]
