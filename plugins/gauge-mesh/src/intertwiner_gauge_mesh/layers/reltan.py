"""Relative tangents: the mean direction of the neighbours, for several powers of distance.

    v_p = (1 / deg^b) (sum_q pi_p(x_q - x_p) / r^a) (sum_q r^{a - 1}),   r = |x_q - x_p|,

with pi_p the projection on the tangent plane: a vector without unit (Basu et al., TMLR 2022).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from intertwiner_gauge_mesh.plan import MeshPlan

__all__ = ["relative_tangents"]


def relative_tangents(
    plan: MeshPlan, powers: Sequence[float] = (0.7,), exponent: float = 1.5
) -> Float[Tensor, "vertices 2*powers"]:
    """Tangent vectors, one for every power: features of type "{len(powers)}x1"."""
    offset = plan.pos[plan.source] - plan.pos[plan.target]
    tangent = (plan.frame[plan.target, :2] @ offset[:, :, None]).squeeze(-1)
    scale = plan.degree.clamp(min=1).to(plan.pos.dtype) ** -exponent
    found = []
    for power in powers:
        vector = _sum(plan, tangent * (plan.length**-power)[:, None])
        found.append(vector * (_sum(plan, plan.length ** (power - 1)) * scale)[:, None])
    return torch.stack(found, 2).flatten(1)


def _sum(plan: MeshPlan, values: Tensor) -> Float[Tensor, "vertices ..."]:
    zeros = values.new_zeros(plan.vertices, *values.shape[1:])
    return zeros.index_add(0, plan.target, values)
