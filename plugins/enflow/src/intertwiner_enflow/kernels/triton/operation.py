"""The two operations by the Triton kernels; their gradients by torch, which computes them anew."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import linear

from intertwiner_enflow.errors import StateError
from intertwiner_enflow.kernels.edge_block import SOFTENING, EdgeWeights, geometry
from intertwiner_enflow.kernels.examples import edge_block_dense
from intertwiner_enflow.kernels.mid_tangent import MiddleTerms
from intertwiner_enflow.kernels.mid_tangent import mid_tangent as mid_tangent_dense

__all__ = ["edge_block", "mid_tangent"]

TILE = 16
"""Partners, or directions, of a program at a time; the least that products of tiles take."""
OPTIONS = {"num_warps": 4, "enable_fp_fusion": True}

Terms = tuple[Float[Tensor, "batch n dim"], Float[Tensor, "batch n features"]]


def edge_block(x: Tensor, h: Tensor, e: Tensor | None, pairs: Tensor, *weights: Any) -> Terms:
    """As `kernels.examples.edge_block_dense`. Raises `StateError` for CPU tensors, unless Triton's
    interpreter is on."""
    _check(x)
    found: Terms = _Recomputed.apply(_edge_block, edge_block_dense, x, h, e, pairs, *weights)
    return found


def mid_tangent(*terms: Any) -> Float[Tensor, "directions batch n features"]:
    """As `kernels.mid_tangent.mid_tangent`. Raises `StateError` as `edge_block`."""
    _check(terms[0])
    found: Tensor = _Recomputed.apply(_mid_tangent, mid_tangent_dense, *terms)
    return found


class _Recomputed(torch.autograd.Function):
    """`run(*arguments)`, with the gradients of `dense(*arguments)`, any number of times."""

    @staticmethod
    def forward(ctx: Any, run: Callable[..., Any], dense: Callable[..., Any], *args: Any) -> Any:
        ctx.dense = dense
        ctx.tensors = [isinstance(value, Tensor) for value in args]
        ctx.others = [None if isinstance(value, Tensor) else value for value in args]
        ctx.save_for_backward(*(value for value in args if isinstance(value, Tensor)))
        return run(*args)

    @staticmethod
    def backward(ctx: Any, *cotangents: Any) -> Any:
        saved = iter(ctx.saved_tensors)
        args = [
            next(saved) if tensor else other
            for tensor, other in zip(ctx.tensors, ctx.others, strict=True)
        ]
        wanted = [number for number, needs in enumerate(ctx.needs_input_grad[2:]) if needs]
        again = torch.is_grad_enabled()
        with torch.enable_grad():
            out = ctx.dense(*args)
            gradients = torch.autograd.grad(
                out, [args[number] for number in wanted], cotangents, create_graph=again
            )
        found: list[Tensor | None] = [None] * len(args)
        for number, gradient in zip(wanted, gradients, strict=True):
            found[number] = gradient
        return None, None, *found


def _edge_block(x: Tensor, h: Tensor, e: Tensor | None, pairs: Tensor, *weights: Any) -> Terms:
    from intertwiner_enflow.kernels.triton import source

    w = EdgeWeights(*weights)
    batch, n, dim = x.shape
    features = h.shape[-1]
    moved, gathered = torch.empty_like(x), torch.empty_like(h)
    if not batch * n:
        return moved, gathered
    x = x.contiguous()
    first = linear(h, w.source, w.bias).contiguous(), linear(h, w.target).contiguous()
    e = geometry(x).r2 if e is None else e
    pairs = pairs.to(x.dtype).expand(batch, n, n, 1).contiguous()
    none = x.new_empty(1)
    initial, gate, gate_bias = (
        none if one is None else one.contiguous()
        for one in (w.initial, w.attention, w.attention_bias)
    )
    plain = (w.second, w.second_bias, gate, gate_bias, w.coord, w.coord_bias, w.coord_out)
    source.edge_block[(batch * n,)](
        x, *first, e.contiguous(), pairs, w.distance.contiguous(), initial,
        *(one.contiguous() for one in plain), moved, gathered,
        n, features, SOFTENING, 1.0 if w.bound is None else w.bound,
        DIM=dim, ATTENTION=w.attention is not None, INITIAL=w.initial is not None,
        BOUNDED=w.bound is not None, TILE=TILE, WIDTH=_width(features), **OPTIONS,
    )  # fmt: skip
    return moved, gathered


def _mid_tangent(*terms: Any) -> Float[Tensor, "directions batch n features"]:
    from intertwiner_enflow.kernels.triton import source

    given = MiddleTerms(*terms)
    directions, batch, n, features = given.source.shape
    out = torch.empty_like(given.source, memory_format=torch.contiguous_format)
    if not out.numel():
        return out
    none = out.new_empty(1)
    source.mid_tangent[(batch * n, -(-directions // TILE))](
        *(none if one is None else one.contiguous() for one in given),
        out, directions, batch, n, features,
        ATTENTION=given.ag is not None, INITIAL=given.initial is not None,
        TILE=TILE, WIDTH=_width(features), **OPTIONS,
    )  # fmt: skip
    return out


def _width(features: int) -> int:
    return max(TILE, 1 << (features - 1).bit_length())


def _check(x: Tensor) -> None:
    if not x.is_cuda and os.environ.get("TRITON_INTERPRET") != "1":
        raise StateError(
            f"Triton kernels run on a CUDA device, not on {x.device}; TRITON_INTERPRET=1 before "
            "the start of Python runs them interpreted"
        )
