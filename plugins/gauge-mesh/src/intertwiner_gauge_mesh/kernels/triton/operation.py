"""The operation by the Triton kernels, with its derivatives."""

from __future__ import annotations

import os
from typing import Any

from jaxtyping import Float
from torch import Tensor

from intertwiner_gauge_mesh.errors import InvalidInput
from intertwiner_gauge_mesh.kernels.bmm import PASSES as TORCH
from intertwiner_gauge_mesh.kernels.rotation import circle
from intertwiner_gauge_mesh.kernels.trilinear import (
    Gradients,
    Passes,
    Problem,
    Wanted,
    operation,
)
from intertwiner_gauge_mesh.kernels.triton.layout import (
    columns_out,
    fold_matrices,
    from_columns,
    mixing_matrices,
    power_of_two,
    to_columns,
    to_square,
)

__all__ = ["PASSES", "gauge_aggregate"]

TILE = 16
GROUP = 64
OPTIONS = {"num_warps": 4}


class _Passes:
    """See `kernels.trilinear.Passes`. The vertex itself and the bias are left to plain torch."""

    def forward(
        self,
        problem: Problem,
        x: Tensor,
        weight: Tensor,
        self_weight: Tensor | None,
        bias: Tensor | None,
    ) -> Tensor:
        out = TORCH.alone(problem, x, self_weight, bias)
        return out + _neighbours(problem, x, weight)

    def backward(
        self,
        problem: Problem,
        g: Tensor,
        x: Tensor,
        weight: Tensor,
        self_weight: Tensor | None,
        wanted: Wanted,
    ) -> Gradients:
        others = wanted._replace(weight=False)
        alone = TORCH.alone_backward(problem, g, x, self_weight, others)
        dx = alone.x
        if wanted.x and dx is not None:
            back = Problem(problem.graph.reversed(), problem.type_out, problem.type_in)
            dx = dx + _neighbours(back, g, weight.transpose(1, 2))
        dweight = _weight_slope(problem, g, x) if wanted.weight else None
        return Gradients(dx, dweight, alone.self_weight, alone.bias)


PASSES = _Passes()


def _passes_for(x: Tensor) -> Passes:
    if not x.is_cuda and os.environ.get("TRITON_INTERPRET") != "1":
        raise InvalidInput(
            f"Triton kernels run on a CUDA device, not on {x.device}; TRITON_INTERPRET=1 before "
            "the start of Python runs them interpreted"
        )
    return PASSES


gauge_aggregate = operation(_passes_for)


def _neighbours(problem: Problem, x: Tensor, weight: Tensor) -> Float[Tensor, "vertices width_out"]:
    """The sum over the edges."""
    from intertwiner_gauge_mesh.kernels.triton.source import sum_and_mix

    kind = problem.type_out
    out = x.new_empty(len(x), kind.order + 1, columns_out(kind))
    tiles = -(-len(x) // TILE)
    if tiles:
        matrices = mixing_matrices(weight, problem.type_in, kind)
        sum_and_mix[(tiles, kind.order + 1)](
            *_edges(problem, x), matrices, out, len(x), **_constants(problem), **OPTIONS
        )
    return from_columns(out, kind)


def _weight_slope(
    problem: Problem, g: Tensor, x: Tensor
) -> Float[Tensor, "rings width_in width_out"]:
    from intertwiner_gauge_mesh.kernels.triton.source import weight_slopes

    kind = problem.type_out
    groups = -(-len(x) // (TILE * GROUP))
    sizes = _constants(problem)
    shape = (kind.order + 1, 2, sizes["RINGS"], 2 * sizes["LIN"] + 1, sizes["C"], sizes["N"])
    slopes = x.new_zeros(groups, *shape)
    if groups:
        weight_slopes[(groups, kind.order + 1)](
            *_edges(problem, x), to_columns(g, kind), slopes, len(x), GROUP, **sizes, **OPTIONS
        )
    return fold_matrices(slopes.sum(0), problem.type_in, kind)


def _edges(problem: Problem, x: Tensor) -> tuple[Tensor, ...]:
    graph = problem.graph
    key = ("triton", problem.type_in.order, problem.type_out.order)
    if key not in graph.cache:
        graph.cache[key] = (
            circle(graph.post, problem.type_out.order).contiguous(),
            circle(graph.pre, problem.type_in.order).contiguous(),
            graph.rings.contiguous(),
            graph.source,
            graph.indptr,
        )
    found: tuple[Tensor, ...] = graph.cache[key]
    return to_square(x, problem.type_in), *found


def _constants(problem: Problem) -> dict[str, Any]:
    return {
        "LIN": problem.type_in.order,
        "LOUT": problem.type_out.order,
        "RINGS": problem.graph.ring_count,
        "C": power_of_two(problem.type_in),
        "N": columns_out(problem.type_out),
        "TILE": TILE,
    }
