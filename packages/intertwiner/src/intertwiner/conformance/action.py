"""How a motion acts on a tensor of each representation: one small function per kind."""

from __future__ import annotations

from functools import singledispatch
from typing import Any

import torch
from jaxtyping import Shaped
from torch import Tensor

from intertwiner.conformance.findings import NotCovered
from intertwiner.conformance.groups import Motion
from intertwiner.conformance.irreps import irreps_matrix
from intertwiner.fields import Gauge, Index, Irreps, Label, Point, Scalar, Transporter

__all__ = ["act"]


@singledispatch
def act(
    rep: Any, values: Shaped[Tensor, "items ..."], motion: Motion
) -> Shaped[Tensor, "items ..."]:
    """The `values` of a field of representation `rep` after `motion`, shape and dtype kept."""
    raise NotCovered(f"the kit does not yet know how a motion acts on a {type(rep).__name__}")


@act.register(Scalar)
@act.register(Label)
@act.register(Index)
def _invariant(rep: Any, values: Tensor, motion: Motion) -> Tensor:
    return values


@act.register(Gauge)
@act.register(Transporter)
def _intrinsic(rep: Any, values: Tensor, motion: Motion) -> Tensor:
    """Components in a tangent frame that moves along with the surface."""
    return values


@act.register(Point)
def _point(rep: Point, values: Tensor, motion: Motion) -> Tensor:
    if rep.dimension != 3:
        raise NotCovered(f"motions act on points in 3D only, not on a {rep}")
    moved = values.to(torch.float64) @ motion.matrix.T + motion.shift
    return moved.to(values.dtype)


@act.register(Irreps)
def _irreps(rep: Irreps, values: Tensor, motion: Motion) -> Tensor:
    matrix = irreps_matrix(rep, motion.matrix)
    rows = values.reshape(len(values), rep.width).to(torch.float64)
    return (rows @ matrix.T).to(values.dtype).reshape(values.shape)
