"""The pair terms as operations of plain tensors, and arguments they are verified and timed with."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from intertwiner_enflow.kernels import edge_block as blocks

__all__ = ["edge_block", "edge_block_dense", "edge_block_reference", "mid_tangent"]


def edge_block_dense(x: Tensor, h: Tensor, e: Tensor, pairs: Tensor, *weights: Any) -> Any:
    """`kernels.edge_block.edge_block`; weights: the fields of its `EdgeWeights` in order."""
    return blocks.edge_block(x, h, e, pairs.to(x.dtype), blocks.EdgeWeights(*weights))


def edge_block_reference(x: Tensor, h: Tensor, e: Tensor, pairs: Tensor, *weights: Any) -> Any:
    """`kernels.edge_block.edge_block_reference` in the same form."""
    return blocks.edge_block_reference(x, h, e, pairs.to(x.dtype), blocks.EdgeWeights(*weights))


class _Draw:
    """Random tensors of one dtype, the same numbers for each."""

    def __init__(self, dtype: torch.dtype, device: torch.device, generator: torch.Generator):
        self.dtype, self.device, self.generator = dtype, device, generator

    def __call__(self, *shape: int) -> Tensor:
        settings: dict[str, Any] = {"generator": self.generator, "device": self.device}
        return torch.randn(shape, dtype=torch.float64, **settings).to(self.dtype)


def edge_block(
    dtype: torch.dtype, device: torch.device, generator: torch.Generator
) -> list[tuple[Any, ...]]:
    """(x, h, e, pairs, *weights), with and without attention."""
    draw = _Draw(dtype, device, generator)
    return [_edge_block(draw, 2, 4, 2, 8, True), _edge_block(draw, 3, 3, 3, 8, False)]


def _edge_block(
    draw: _Draw, batch: int, count: int, dim: int, width: int, attention: bool
) -> tuple[Any, ...]:
    x = draw(batch, count, dim)
    different = ~torch.eye(count, dtype=torch.bool, device=draw.device)
    weights = blocks.EdgeWeights(
        source=draw(width, width) / width**0.5,
        target=draw(width, width) / width**0.5,
        distance=draw(width) / 4,
        initial=draw(width) / 4,
        bias=draw(width) / 4,
        second=draw(width, width) / width**0.5,
        second_bias=draw(width),
        attention=draw(1, width) if attention else None,
        attention_bias=draw(1) if attention else None,
        coord=draw(width, width) / width**0.5,
        coord_bias=draw(width),
        coord_out=draw(1, width),
        bound=2.0,
    )
    pairs = different.reshape(1, count, count, 1)
    e = blocks.geometry(draw(batch, count, dim)).r2
    return x, draw(batch, count, width), e, pairs, *weights


def mid_tangent(
    dtype: torch.dtype, device: torch.device, generator: torch.Generator
) -> list[tuple[Any, ...]]:
    """The arguments of `kernels.mid_tangent.mid_tangent`, with and without attention."""
    draw = _Draw(dtype, device, generator)
    return [_mid_tangent(draw, 5, 2, 4, 8, True), _mid_tangent(draw, 3, 2, 3, 8, False)]


def _mid_tangent(
    draw: _Draw, directions: int, batch: int, count: int, width: int, attention: bool
) -> tuple[Any, ...]:
    nodes, pairs = (directions, batch, count), (batch, count, count, width)
    return (
        draw(*nodes, width),
        draw(*nodes, width),
        draw(*nodes, count),
        draw(*nodes, count),
        draw(*pairs),
        draw(*pairs),
        draw(*pairs) if attention else None,
        draw(*pairs) if attention else None,
        draw(width, width),
        draw(width),
        draw(width),
    )
