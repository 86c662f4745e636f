"""What a radial table costs beside the product: two calls into C++ in place of some hundred.

At 15,000 edges the tensor operations that place the distances and carry the network to the knots
take longer than the product itself, most of it for starting them. `layers.radial_table` has them
in plain torch, which serves where nothing can be compiled, on other devices, and for derivatives
of derivatives.
"""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from intertwiner.compiled import OPENMP, Library, call, try_load
from intertwiner.kernels import SETTING
from intertwiner_equivariant_conv.kernels.compiled.text import scalar
from intertwiner_equivariant_conv.kernels.radial.source import unit

__all__ = ["Knots", "build", "find_places", "load_library"]

NAMES = {torch.float32: "float", torch.float64: "double"}


def load_library(device: torch.device, dtype: torch.dtype) -> Library | None:
    """The compiled functions; None for others than the CPU's floats, or where torch must serve."""
    if device.type != "cpu" or dtype not in NAMES or os.environ.get(SETTING) == "reference":
        return None
    return _load()


@functools.cache
def _load() -> Library | None:
    return try_load("equivariant-conv-radial", lambda: {"radial": unit()}, flags=OPENMP)


def find_places(
    library: Library,
    distance: Float[Tensor, " edges"],
    cutoff: float,
    knots: int,
    degree: int,
    *,
    compact: bool,
) -> tuple[Float[Tensor, "edges degree+1"], Int[Tensor, " edges"], Int[Tensor, " rows"]]:
    """(powers, row, occupied) of `layers.radial_table.Placement`, not differentiable."""
    edges = len(distance)
    powers = torch.empty(edges, degree + 1, dtype=distance.dtype)
    row = torch.empty(edges, dtype=torch.int64)
    occupied = torch.empty(knots, dtype=torch.int64)
    sizes = (edges, knots, degree, int(compact), _numbers((knots - 1) / cutoff))
    name = f"places_{NAMES[distance.dtype]}"
    call(library, name, distance.detach().contiguous(), *sizes, powers, row, occupied)
    return powers, row, occupied[: int(occupied[-1])]


@functools.lru_cache(maxsize=256)
def _numbers(*values: float) -> Float[Tensor, " values"]:
    return torch.tensor(values, dtype=torch.float64)


@functools.lru_cache(maxsize=1024)
def _integers(*values: int) -> Int[Tensor, " values"]:
    return torch.tensor(values, dtype=torch.int64)


class Knots(NamedTuple):
    """What a table is made from beside weights.

    basis: with its derivatives with respect to t, at every knot. occupied: intervals wanted.
    gains: the factors of every layer's weights. plain: the table from the weights in torch.
    """

    library: Library
    basis: Float[Tensor, "orders knots basis"]
    occupied: Int[Tensor, " rows"]
    degree: int
    gains: tuple[float, ...]
    plain: Callable[[Sequence[Tensor]], Tensor]


def build(knots: Knots, weights: Sequence[Tensor]) -> Float[Tensor, "rows+1 degree+1 outputs"]:
    """The table of `layers.radial_table.build_table`; differentiable to any order."""
    if not torch.is_grad_enabled():
        return _table(knots, weights)[0]
    found: Tensor = _Table.apply(knots, *weights)
    return found


class _Table(torch.autograd.Function):
    """Differentiated in C++ once, and in torch from there on."""

    @staticmethod
    def forward(ctx: Any, knots: Knots, *weights: Tensor) -> Tensor:
        ctx.save_for_backward(*weights)
        ctx.knots = knots
        table, ctx.kept = _table(knots, weights)
        return table

    @staticmethod
    def backward(ctx: Any, cotangent: Tensor) -> tuple[Tensor | None, ...]:
        knots, weights = ctx.knots, ctx.saved_tensors
        if torch.is_grad_enabled():
            table = knots.plain(weights)
            return None, *torch.autograd.grad(table, weights, cotangent, create_graph=True)
        found = [torch.empty_like(w, memory_format=torch.contiguous_format) for w in weights]
        results = _integers(*(tensor.data_ptr() for tensor in found))
        name = f"gradient_{NAMES[cotangent.dtype]}"
        used = [weight.contiguous() for weight in weights]
        arguments = _arguments(knots, used, ctx.kept)
        call(knots.library, name, *arguments, cotangent.contiguous(), results)
        return None, *found


def _table(knots: Knots, weights: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """(table, what the layers keep for the backward pass)."""
    used = [weight.contiguous() for weight in weights]
    last = used[-1]
    kept = torch.empty(_room(knots, used), dtype=torch.float64)
    shape = len(knots.occupied) + 1, knots.degree + 1, last.shape[1]
    table = torch.empty(shape, dtype=last.dtype)
    basis = knots.basis, knots.basis.shape[1]
    arguments = _arguments(knots, used, kept)
    call(knots.library, f"table_{NAMES[last.dtype]}", *arguments, *basis, table)
    return table, kept


def _room(knots: Knots, weights: Sequence[Tensor]) -> int:
    """Numbers that the layers keep: jets before and after every silu, and polynomials."""
    orders, most, _ = knots.basis.shape
    lanes, rows = scalar(torch.float64).lanes, len(knots.occupied)
    filled = [lanes * math.ceil(len(weight) / lanes) for weight in weights]
    jets = orders * min(2 * rows, most) * (2 * sum(filled) - filled[0])
    return jets + rows * (knots.degree + 1) * len(weights[-1])


def _arguments(knots: Knots, weights: Sequence[Tensor], kept: Tensor) -> list[Tensor | int]:
    widths = _integers(*map(len, weights), weights[-1].shape[1])
    addresses = _integers(*(weight.data_ptr() for weight in weights))
    network = (len(weights) - 1, knots.degree, widths, addresses, _numbers(*knots.gains))
    rows = (knots.occupied, len(knots.occupied))
    return [*network, *rows, kept, torch.get_num_threads()]
