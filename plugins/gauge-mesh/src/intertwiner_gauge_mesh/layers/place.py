"""Where a vertex is on its surface, in axes that the surface itself gives.

With the area as mass, c the centre and U the principal axes, the widest first, each with the
sign that makes its third moment positive (of a left-handed three, the one whose third moment is
least is turned round), the numbers of a vertex are

    y = U^T (x - c) / R,   sin(pi 2^k y / 2), cos(pi 2^k y / 2) for k = 0 ... 3,   U^T n,

R the root mean square distance from the centre. They are scalars: motions of the mesh do not change
them. They tell apart what no neighbourhood does, on surfaces of one family. A surface whose
moments about two axes are equal, or whose third moments vanish, has no such axes, and an
arbitrary choice is made.
"""

from __future__ import annotations

import math
from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor

from intertwiner_gauge_mesh.plan import MeshPlan

__all__ = ["PLACE_WIDTH", "own_axes", "place_features"]

_OCTAVES: Final = 4
PLACE_WIDTH: Final = 3 + 3 * 2 * _OCTAVES + 3


def place_features(plan: MeshPlan) -> Float[Tensor, "vertices 30"]:
    """y, its waves and the normal in the axes of each mesh."""
    rows = []
    for start, stop in zip(plan.ptr, plan.ptr[1:], strict=False):
        part = slice(start, stop)
        rows.append(_placed(plan.pos[part], plan.normal[part], plan.area[part]))
    return torch.cat(rows)


def _placed(pos: Tensor, normal: Tensor, area: Tensor) -> Float[Tensor, "vertices 30"]:
    centre, axes, radius = own_axes(pos.double(), area.double())
    y = ((pos.double() - centre) @ axes / radius).to(pos.dtype)
    octaves = 0.5 * math.pi * 2 ** torch.arange(_OCTAVES, dtype=y.dtype, device=y.device)
    turns = (y[:, None] * octaves[:, None]).flatten(1)
    return torch.cat([y, turns.sin(), turns.cos(), normal @ axes.to(pos.dtype)], 1)


def own_axes(
    pos: Float[Tensor, "vertices 3"], area: Float[Tensor, " vertices"]
) -> tuple[Float[Tensor, 3], Float[Tensor, "3 3"], Float[Tensor, ""]]:
    """(centre, axes in columns, a right-handed three, root mean square radius) of one mesh."""
    mass = area / area.sum()
    centre = mass @ pos
    offset = pos - centre
    second, axes = torch.linalg.eigh((offset * mass[:, None]).T @ offset)
    second, axes = second.flip(0), axes.flip(1)
    third = mass @ (offset @ axes) ** 3
    axes = torch.where(third < 0, -axes, axes)
    if torch.linalg.det(axes) < 0:
        least = (third.abs() / second.clamp(min=1e-30) ** 1.5).argmin()
        axes[:, least] = -axes[:, least]
    return centre, axes, second.sum().sqrt()
