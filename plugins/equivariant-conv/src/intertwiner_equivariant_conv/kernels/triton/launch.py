"""The passes of `kernels.multilinear` as launches of the generated kernels."""

from __future__ import annotations

import functools
import linecache
import math
import os
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from intertwiner_equivariant_conv.errors import InvalidInput
from intertwiner_equivariant_conv.kernels.multilinear import (
    Cotangents,
    Edges,
    Gradients,
    Passes,
    Second,
    Wanted,
)
from intertwiner_equivariant_conv.kernels.triton.graph import by_source, row_starts
from intertwiner_equivariant_conv.kernels.triton.source import generate
from intertwiner_equivariant_conv.layers.paths import PathTable

__all__ = ["PASSES", "block_size", "load"]

WARP = 32
OPTIONS = {"num_warps": 1, "enable_fp_fusion": True}
NUMBERS_A_LANE = 96
"""Rows times channels that a lane keeps in its 255 registers, in single precision."""


@functools.cache
def load(table: PathTable) -> SimpleNamespace:
    """The kernels of a path table; Triton compiles each when it is first launched."""
    text = generate(table)
    name = f"<Triton kernels for {table}, parity {table.parity}>"
    linecache.cache[name] = len(text), None, text.splitlines(keepends=True), name
    namespace: dict[str, Any] = {"__name__": f"{__name__}.generated"}
    exec(compile(text, name, "exec"), namespace)
    return SimpleNamespace(**namespace)


def block_size(held: int, channels: int, dtype: torch.dtype) -> int:
    """Channels of a program that holds `held` rows of them: one to four for each lane of a warp."""
    fit = NUMBERS_A_LANE // (held * (dtype.itemsize // 4))
    lanes = WARP * (4 if fit >= 4 else 2 if fit >= 2 else 1)
    return min(lanes, max(16, 1 << (channels - 1).bit_length()))


class _Launch:
    """One program for every node and block of channels.

    held: how often a program keeps all output rows, as sums or as cotangents, in registers.
    """

    def __init__(self, table: PathTable, nodes: int, like: Tensor, held: int = 1) -> None:
        self.kernels = load(table)
        self.block = block_size(held * table.rows_out, like.shape[-1], like.dtype)
        self.blocks = math.ceil(like.shape[-1] / self.block)
        self.nodes = nodes

    def __call__(self, name: str, *arguments: Any, **constants: bool) -> None:
        if self.nodes == 0 or self.blocks == 0:
            return
        first = next(argument for argument in arguments if isinstance(argument, Tensor))
        with torch.cuda.device_of(first):
            kernel = getattr(self.kernels, name)[(self.nodes, self.blocks)]
            kernel(*arguments, BLOCK=self.block, **constants, **OPTIONS)


def _check(x: Tensor) -> None:
    if not x.is_cuda and os.environ.get("TRITON_INTERPRET") != "1":
        raise InvalidInput(
            f"Triton kernels run on a CUDA device, not on {x.device}; "
            "TRITON_INTERPRET=1 before the start of Python runs them interpreted"
        )


def _product(x: Tensor, y: Tensor, w: Tensor, edges: Edges) -> Tensor:
    _check(x)
    x, y, w = x.contiguous(), y.contiguous(), w.contiguous()
    channels = x.shape[2]
    out = x.new_empty(edges.nodes, edges.table.rows_out, channels)
    launch = _Launch(edges.table, edges.nodes, x)
    rows = row_starts(edges.target, edges.nodes)
    launch("product", x, y, w, edges.source.contiguous(), rows, out, channels)
    return out


def _gradients(
    x: Tensor, y: Tensor, w: Tensor, g: Tensor, edges: Edges, wanted: Wanted
) -> Gradients:
    x, y, w, g = (tensor.contiguous() for tensor in (x, y, w, g))
    channels = x.shape[2]
    dx = dy = dw = None
    if wanted[1] or wanted[2]:
        launch = _Launch(edges.table, edges.nodes, x)
        parts, dw = _edge_gradients(y, w, launch.blocks)
        ends = edges.source.contiguous(), row_starts(edges.target, edges.nodes)
        sizes = parts, dw, channels, len(y)
        launch("by_target", x, y, w, g, *ends, *sizes, DY=wanted[1], DW=wanted[2])
        dy, dw = parts.sum(0) if wanted[1] else None, dw if wanted[2] else None
    if wanted[0]:
        dx = torch.empty_like(x)
        launch = _Launch(edges.table, len(x), x)
        starts, order = by_source(edges.source, len(x))
        launch("by_source", y, w, g, edges.target.contiguous(), order, starts, dx, channels)
    return dx, dy, dw


def _edge_gradients(y: Tensor, w: Tensor, blocks: int) -> tuple[Tensor, Tensor]:
    """Empty dY, one for each block of channels, and dW."""
    return y.new_empty(blocks, *y.shape), torch.empty_like(w)


def _second(
    x: Tensor,
    y: Tensor,
    w: Tensor,
    g: Tensor,
    cotangents: Cotangents,
    edges: Edges,
    wanted: Wanted,
) -> Second:
    """Absent cotangents count as zero; see `kernels.blocked` for the formula."""
    x, y, w, g = (tensor.contiguous() for tensor in (x, y, w, g))
    ax, ay, aw = (
        torch.zeros_like(argument) if given is None else given.contiguous()
        for argument, given in zip((x, y, w), cotangents, strict=True)
    )
    channels = x.shape[2]
    dx = dy = dw = dg = None
    if any(wanted[1:]):
        dg = torch.empty_like(g)
        launch = _Launch(edges.table, edges.nodes, x, held=2)
        parts, dw = _edge_gradients(y, w, launch.blocks)
        ends = edges.source.contiguous(), row_starts(edges.target, edges.nodes)
        sizes = parts, dw, dg, channels, len(y)
        flags = {"DY": wanted[1], "DW": wanted[2]}
        launch("second_by_target", x, y, w, g, ax, ay, aw, *ends, *sizes, **flags)
        dy, dw = parts.sum(0) if wanted[1] else None, dw if wanted[2] else None
    if wanted[0]:
        dx = torch.empty_like(x)
        launch = _Launch(edges.table, len(x), x)
        starts, order = by_source(edges.source, len(x))
        by = edges.target.contiguous(), order, starts
        launch("second_by_source", y, w, g, ay, aw, *by, dx, channels)
    return dx, dy, dw, dg if wanted[3] else None


PASSES = Passes(_product, _gradients, _second)
