"""Derivatives of any order of an operation that is linear in each of its three arguments.

F(x, Y, W) is such an operation. Its derivative B(x, Y, W, g) = (dx, dY, dW) is defined by
<g, F(x', Y, W)> = <x', dx> and so on, and the derivative of B for cotangents (ax, aY, aW)
follows by the product rule from

    <ax, dx> + <aY, dY> + <aW, dW> = <g, F(ax, Y, W) + F(x, aY, W) + F(x, Y, aW)>,

so that F and B, each calling the other, give derivatives of any order. A kernel may have a third
pass that does the sums of the second derivative together; where a third one may follow, the
composition is used.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from jaxtyping import Int
from torch import Tensor

from intertwiner_equivariant_conv.layers.paths import PathTable, infer_paths

__all__ = ["Cotangents", "Edges", "Gradients", "Passes", "Second", "Wanted", "run"]

Gradients = tuple[Tensor | None, Tensor | None, Tensor | None]
Cotangents = Gradients
Second = tuple[Tensor | None, Tensor | None, Tensor | None, Tensor | None]
Wanted = tuple[bool, ...]


class Edges(NamedTuple):
    """What the operation does not differentiate."""

    source: Int[Tensor, " edges"]
    target: Int[Tensor, " edges"]
    nodes: int
    table: PathTable


class Passes(NamedTuple):
    """The passes over the edges that a kernel has; none records gradients.

    product(x, y, w, edges): F. gradients(x, y, w, g, edges, wanted): B, None where not wanted.
    second(x, y, w, g, cotangents, edges, wanted): what the cotangents of B's (dx, dY, dW), None
    where there is none, give for (x, Y, W, g); None where not wanted.
    """

    product: Callable[[Tensor, Tensor, Tensor, Edges], Tensor]
    gradients: Callable[[Tensor, Tensor, Tensor, Tensor, Edges, Wanted], Gradients]
    second: Callable[..., Second] | None = None


def run(
    passes: Passes,
    features: Tensor,
    harmonics: Tensor,
    weights: Tensor,
    source: Tensor,
    target: Tensor,
    nodes: int,
) -> Tensor:
    """F with its derivatives; see `intertwiner_equivariant_conv.kernels`."""
    shapes = (features.shape[1], harmonics.shape[1], features.shape[2], weights.shape[1])
    edges = Edges(source, target, nodes, infer_paths(*shapes))
    return _product(features, harmonics, weights, edges, passes)


def _product(x: Tensor, y: Tensor, w: Tensor, edges: Edges, passes: Passes) -> Tensor:
    out: Tensor = _Product.apply(x, y, w, edges, passes)
    return out


def _adjoint(
    x: Tensor, y: Tensor, w: Tensor, g: Tensor, edges: Edges, passes: Passes, wanted: Wanted
) -> Gradients:
    found: Gradients = _Adjoint.apply(x, y, w, g, edges, passes, wanted)
    return found


class _Product(torch.autograd.Function):
    """F(x, Y, W)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor, w: Tensor, edges: Edges, passes: Passes) -> Tensor:
        ctx.save_for_backward(x, y, w)
        ctx.edges, ctx.passes = edges, passes
        return passes.product(x, y, w, edges)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, ...]:
        wanted = ctx.needs_input_grad[:3]
        x, y, w = ctx.saved_tensors
        return (*_adjoint(x, y, w, g, ctx.edges, ctx.passes, wanted), None, None)


class _Adjoint(torch.autograd.Function):
    """B(x, Y, W, g); entries that are not wanted are None."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        y: Tensor,
        w: Tensor,
        g: Tensor,
        edges: Edges,
        passes: Passes,
        wanted: Wanted,
    ) -> Gradients:
        ctx.save_for_backward(x, y, w, g)
        ctx.edges, ctx.passes = edges, passes
        ctx.set_materialize_grads(False)
        return passes.gradients(x, y, w, g, edges, wanted)

    @staticmethod
    def backward(ctx: Any, *cotangents: Tensor | None) -> tuple[Tensor | None, ...]:
        wanted, edges, passes = ctx.needs_input_grad[:4], ctx.edges, ctx.passes
        x, y, w, g = ctx.saved_tensors
        found: tuple[Tensor | None, ...]
        if passes.second is None or torch.is_grad_enabled():
            found = _compose(x, y, w, g, cotangents, edges, passes, wanted)
        else:
            found = passes.second(x, y, w, g, cotangents, edges, wanted)
        return (*found, None, None, None)


def _compose(
    x: Tensor,
    y: Tensor,
    w: Tensor,
    g: Tensor,
    cotangents: tuple[Tensor | None, ...],
    edges: Edges,
    passes: Passes,
    wanted: Wanted,
) -> tuple[Tensor | None, ...]:
    """The second derivative as a sum of F and B with one argument replaced by its cotangent."""
    totals: list[Tensor | None] = [None] * 4
    for slot, cotangent in enumerate(cotangents):
        if cotangent is None:
            continue
        a, b, c = (cotangent if n == slot else old for n, old in enumerate((x, y, w)))
        others = tuple(wanted[n] and n != slot for n in range(3))
        if any(others):
            _accumulate(totals, _adjoint(a, b, c, g, edges, passes, others))
        if wanted[3]:
            _accumulate(totals, (None, None, None, _product(a, b, c, edges, passes)))
    return tuple(totals)


def _accumulate(totals: list[Tensor | None], terms: tuple[Tensor | None, ...]) -> None:
    for slot, term in enumerate(terms):
        if term is not None:
            before = totals[slot]
            totals[slot] = term if before is None else before + term
