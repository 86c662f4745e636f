"""Moments of the neighbourhood of a vertex, and of scalar fields on it, in the vertex's frame.

With the offset d = x_q - x_p in the frame (X, Y, n) of p, r = |d|, z = (d_X + i d_Y) / r,
c = d_n / r, s = r / h (h a mean edge length), nu the tangential part of n_q, and
du = (u_q - u_p) / s, the means over the neighbours q of

    shape, order 0:  s, s^2, c, c^2, |z|^2, Re(conj(z) nu)
           order 1:  z, c z, s z, nu           order 2:  z^2, c z^2, s^2 z^2, c z^2 / |z|^2, z nu
    field, order 0:  du, s du, c du
           order 1:  du z, s du z, c du z      order 2:  du z^2, s du z^2

turn as fields of their order when the frame turns, and do not change under motions. The mean of
du z is half the gradient of u where neighbours lie evenly around; how unevenly they do lie is in
the moments of the shape.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from intertwiner_gauge_mesh.plan import MeshPlan
from intertwiner_gauge_mesh.types import FeatureType

__all__ = ["FIELD_TYPE", "SHAPE_TYPE", "field_moments", "shape_moments"]

SHAPE_TYPE: Final = FeatureType((6, 4, 5))
FIELD_TYPE: Final = FeatureType((3, 3, 2))
_Edges = tuple[Tensor, Tensor, Tensor, Tensor]
_T = TypeVar("_T")


def shape_moments(plan: MeshPlan, unit: float) -> Float[Tensor, "vertices 24"]:
    """Features of type 6x0+4x1+5x2; unit: the length h."""
    return _kept(plan, "shape moments", unit, lambda: _shape_moments(plan, unit))


def _shape_moments(plan: MeshPlan, unit: float) -> Float[Tensor, "vertices 24"]:
    z, c, s, tilt = _edges(plan, unit)
    flat = z.real.square() + z.imag.square()
    scalars = [s, s * s, c, c * c, flat, z.real * tilt.real + z.imag * tilt.imag]
    vectors = [z, c * z, s * z, tilt]
    tensors = [z * z, c * z * z, s * s * z * z, c * z * z / flat.clamp(min=1e-6), z * tilt]
    return _means(plan, scalars, vectors, tensors)


def field_moments(
    plan: MeshPlan, values: Float[Tensor, " vertices"], unit: float
) -> Float[Tensor, "vertices 13"]:
    """Features of type 3x0+3x1+2x2 of one scalar field."""
    z, c, s, _ = _edges(plan, unit)
    du = (values[plan.source] - values[plan.target]) / s
    step = s * du
    scalars = [du, step, c * du]
    return _means(plan, scalars, [du * z, step * z, c * du * z], [du * z * z, step * z * z])


def _edges(plan: MeshPlan, unit: float) -> _Edges:
    """z (complex), c, s and nu (complex) of every edge."""
    return _kept(plan, "moment edges", unit, lambda: _measured_edges(plan, unit))


def _kept(plan: MeshPlan, name: str, unit: float, make: Callable[[], _T]) -> _T:
    """What depends on the plan alone is made once, unless positions have a gradient."""
    if plan.pos.requires_grad:
        return make()
    key = (name, unit)
    if key not in plan.cache:
        plan.cache[key] = make()
    found: _T = plan.cache[key]
    return found


def _measured_edges(plan: MeshPlan, unit: float) -> _Edges:
    offset = plan.pos[plan.source] - plan.pos[plan.target]
    frames = plan.frame[plan.target]
    length = plan.length
    d = (frames @ offset[:, :, None]).squeeze(-1) / length[:, None]
    n = (frames[:, :2] @ plan.normal[plan.source][:, :, None]).squeeze(-1)
    return torch.complex(d[:, 0], d[:, 1]), d[:, 2], length / unit, torch.complex(n[:, 0], n[:, 1])


def _means(
    plan: MeshPlan, scalars: list[Tensor], vectors: list[Tensor], tensors: list[Tensor]
) -> Float[Tensor, "vertices width"]:
    """The means over neighbours; zero for a vertex that has none."""
    columns = [
        *scalars,
        *(field.real for field in vectors),
        *(field.imag for field in vectors),
        *(field.real for field in tensors),
        *(field.imag for field in tensors),
    ]
    edges = torch.stack(columns, 1)
    total = edges.new_zeros(plan.vertices, edges.shape[1]).index_add(0, plan.target, edges)
    return total / plan.degree.clamp(min=1)[:, None]
