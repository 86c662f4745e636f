"""All layers of the network as one operation of plain tensors, in three forms.

(x, h, weights, bound) -> (x^L - x, h^L); weights holds a row of numbers for each layer: those of
`EgnnLayer.tensors()`, one after another, for a layer with attention and initial distances.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from intertwiner.errors import ConfigError
from intertwiner_enflow.kernels.compiled.library import Kind, load
from intertwiner_enflow.kernels.compiled.operation import Program, stack_values
from intertwiner_enflow.kernels.edge_block import (
    EdgeWeights,
    edge_block,
    edge_block_reference,
    geometry,
)

__all__ = ["compiled", "dense", "examples", "reference"]


def compiled(
    x: Float[Tensor, "batch n dim"],
    h: Float[Tensor, "batch n features"],
    weights: Float[Tensor, "layers numbers"],
    bound: float,
) -> tuple[Float[Tensor, "batch n dim"], Float[Tensor, "batch n features"]]:
    """The C++ program; dense torch where there is none (which has then warned)."""
    width = h.shape[-1]
    library = load(Kind(x.dtype, x.shape[-1], width, True, True, True))
    if library is None:
        return dense(x, h, weights, bound)
    program = Program(library, len(weights), width, True, bound)
    parts = [part.contiguous() for row in weights for part in _parts(row, width)]
    moved, end = stack_values(program, x, h, None, parts)
    if end is None:  # a program with features gives them
        raise RuntimeError("the program gave no features")
    return moved, end


def dense(
    x: Float[Tensor, "batch n dim"],
    h: Float[Tensor, "batch n features"],
    weights: Float[Tensor, "layers numbers"],
    bound: float,
) -> tuple[Float[Tensor, "batch n dim"], Float[Tensor, "batch n features"]]:
    """In torch, all ordered pairs at once."""
    return _layers(x, h, weights, bound, edge_block)


def reference(
    x: Float[Tensor, "batch n dim"],
    h: Float[Tensor, "batch n features"],
    weights: Float[Tensor, "layers numbers"],
    bound: float,
) -> tuple[Float[Tensor, "batch n dim"], Float[Tensor, "batch n features"]]:
    """In torch, pair by pair."""
    return _layers(x, h, weights, bound, edge_block_reference)


def _layers(x: Tensor, h: Tensor, weights: Tensor, bound: float, block: object) -> tuple:  # type: ignore[type-arg]
    count, start = x.shape[1], x
    pairs = (1 - torch.eye(count, dtype=x.dtype, device=x.device)).reshape(1, count, count, 1)
    e = geometry(x).r2
    for row in weights:
        parts = _parts(row, h.shape[-1])
        moved, gathered = block(x, h, e, pairs, _edge_weights(parts, bound))  # type: ignore[operator]
        x = x + moved
        inner = torch.cat((h, gathered), dim=-1) @ parts[6].T + parts[7]
        h = h + torch.nn.functional.silu(inner) @ parts[8].T + parts[9]
    return x - start, h


def _edge_weights(parts: Sequence[Tensor], bound: float) -> EdgeWeights:
    first, width = parts[0], len(parts[0])
    columns = (first[:, :width], first[:, width : 2 * width], *first[:, 2 * width :].unbind(dim=1))
    return EdgeWeights(*columns, *parts[1:6], *parts[10:], bound)  # type: ignore[call-arg,arg-type]


def _shapes(width: int) -> list[tuple[int, ...]]:
    square, row = (width, width), (width,)
    edge = [(width, 2 * width + 2), row, square, row, (1, width), (1,)]
    return [*edge, (width, 2 * width), row, square, row, square, row, (1, width)]


def _parts(row: Float[Tensor, " numbers"], width: int) -> list[Tensor]:
    shapes = _shapes(width)
    sizes = [torch.Size(shape).numel() for shape in shapes]
    if sum(sizes) != len(row):
        raise ConfigError(f"a layer of width {width} has {sum(sizes)} weights, not {len(row)}")
    return [part.reshape(shape) for part, shape in zip(row.split(sizes), shapes, strict=True)]


def examples(
    dtype: torch.dtype, device: torch.device, generator: torch.Generator
) -> list[tuple[Tensor, Tensor, Tensor, float]]:
    """Arguments of some sizes: lanes that are not filled, one particle, three dimensions."""
    found = []
    for batch, count, dim, width, layers in ((3, 4, 2, 8, 2), (17, 3, 3, 8, 1), (2, 1, 3, 8, 2)):
        numbers = sum(torch.Size(shape).numel() for shape in _shapes(width))

        def draw(*shape: int) -> Tensor:
            wide = torch.randn(shape, generator=generator, device=device, dtype=torch.float64)
            return wide.to(dtype)

        weights = draw(layers, numbers) / width**0.5
        found.append((draw(batch, count, dim), draw(batch, count, width), weights, 2.0))
    return found
