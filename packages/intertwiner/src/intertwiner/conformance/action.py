"""How a motion acts on a tensor of each representation: one small function per kind."""

from __future__ import annotations

from functools import singledispatch
from typing import Any

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from intertwiner.conformance.findings import NotCovered
from intertwiner.conformance.groups import Motion
from intertwiner.conformance.irreps import irreps_matrix
from intertwiner.fields import Gauge, Index, Irreps, Label, Point, Scalar, Transporter

__all__ = ["act", "frame_free", "turn_frames"]


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


@act.register(Transporter)
def _intrinsic(rep: Any, values: Tensor, motion: Motion) -> Tensor:
    """Components in a tangent frame that moves along with the surface."""
    return values


@act.register(Gauge)
def _framed(rep: Gauge, values: Tensor, motion: Motion) -> Tensor:
    """Sizes stay; of components nothing is known, as a model's own frames need not move along."""
    if motion.improper:
        raise NotCovered(f"how a mirror acts on {rep} in a model's own frames is not written yet")
    return values


def turn_frames(
    rep: Any, values: Shaped[Tensor, "vertices ..."], angle: Float[Tensor, " vertices"]
) -> Shaped[Tensor, "vertices ..."]:
    """The `values` after every vertex's frame is turned by `angle`: z -> exp(-i n angle) z."""
    if not isinstance(rep, Gauge):
        return values
    return torch.cat([_turned(block, n, angle) for n, block in _orders(rep, values)], 1)


def _turned(block: Tensor, order: int, angle: Tensor) -> Tensor:
    if order == 0:
        return block
    pairs = torch.view_as_complex(block.unflatten(1, (-1, 2)).contiguous())
    turned = pairs * torch.polar(torch.ones_like(angle), -order * angle)[:, None].to(pairs)
    return torch.view_as_real(turned).flatten(1)


def frame_free(rep: Any, values: Shaped[Tensor, "items ..."]) -> Shaped[Tensor, "items ..."]:
    """What of `values` does not depend on the choice of frames: sizes of gauge components."""
    if not isinstance(rep, Gauge):
        return values
    blocks = [
        block if order == 0 else block.unflatten(1, (-1, 2)).norm(dim=2)
        for order, block in _orders(rep, values)
    ]
    return torch.cat(blocks, 1)


def _orders(rep: Gauge, values: Tensor) -> list[tuple[int, Tensor]]:
    """(order, its columns) of every block."""
    widths = [count * (2 if order else 1) for count, order in rep.blocks]
    pieces = values.split(widths, 1)
    return [(order, piece) for (_, order), piece in zip(rep.blocks, pieces, strict=True)]


@act.register(Point)
def _point(rep: Point, values: Tensor, motion: Motion) -> Tensor:
    if rep.dimension != motion.dimension:
        raise NotCovered(f"a motion in {motion.dimension}D does not act on a {rep}")
    moved = values.to(torch.float64) @ motion.matrix.T + motion.shift
    return moved.to(values.dtype)


@act.register(Irreps)
def _irreps(rep: Irreps, values: Tensor, motion: Motion) -> Tensor:
    if motion.dimension != 3:
        raise NotCovered(f"irreps of O(3) ({rep}) are not turned in {motion.dimension}D")
    matrix = irreps_matrix(rep, motion.matrix)
    rows = values.reshape(len(values), rep.width).to(torch.float64)
    return (rows @ matrix.T).to(values.dtype).reshape(values.shape)
