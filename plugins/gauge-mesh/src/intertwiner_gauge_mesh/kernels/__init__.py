"""`gauge_aggregate`: the convolution as one operation, served by the best kernel that can run.

`INTERTWINER_KERNELS=reference` forces the edge-wise one of `kernels.reference`.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from intertwiner.kernels import dispatch
from intertwiner_gauge_mesh.errors import InvalidInput, WrongType
from intertwiner_gauge_mesh.graph import EdgeGraph
from intertwiner_gauge_mesh.kernels.algebra import self_numbers
from intertwiner_gauge_mesh.types import FeatureType

__all__ = ["OPERATION", "gauge_aggregate"]

OPERATION = "gauge_aggregate"


def gauge_aggregate(
    x: Float[Tensor, "vertices width_in"],
    weight: Float[Tensor, "rings width_in width_out"],
    self_weight: Float[Tensor, " self_numbers"] | None,
    bias: Float[Tensor, " width_out"] | None,
    graph: EdgeGraph,
    type_in: FeatureType,
    type_out: FeatureType,
) -> Float[Tensor, "vertices width_out"]:
    """The gauge-equivariant convolution (arXiv 2003.05425, equation 3, with radial rings):

        out_p = s_p (K_self x_p + b_0)
                + sum_{e = (p <- q)} rho_out(post_e) (sum_r w_er W_r rho_in(pre_e) x_q + w_e b)

    weight: y[o] = sum_i u[i] W[r, i, o]. self_weight: for order 0 a matrix [c_0, c'_0], then for
    every common order n >= 1 two matrices [c_n, c'_n], real and imaginary part of the factor of
    z_n; one after the other. bias: of all orders, in the frame of the edge.
    Differentiable to any order with respect to x and the parameters.

    Raises `InvalidInput` for shapes that do not fit, `WrongType` for several dtypes or devices.
    """
    _check(x, weight, self_weight, bias, graph, type_in, type_out)
    run = dispatch(OPERATION, x.device, x.dtype)
    out: Tensor = run(x, weight, self_weight, bias, graph, type_in, type_out)
    return out


def _check(
    x: Tensor,
    weight: Tensor,
    self_weight: Tensor | None,
    bias: Tensor | None,
    graph: EdgeGraph,
    type_in: FeatureType,
    type_out: FeatureType,
) -> None:
    given = [item for item in (x, weight, self_weight, bias, graph.post) if item is not None]
    kinds = {(item.dtype, str(item.device)) for item in given}
    if len(kinds) > 1:
        raise WrongType(
            f"features, parameters and plan are of several kinds {sorted(map(str, kinds))}: move "
            "them to one device and dtype"
        )
    if x.dtype not in (torch.float32, torch.float64):
        raise WrongType(f"{x.dtype} is not supported: use float32 or float64")
    if x.shape != (graph.vertices, type_in.width):
        raise InvalidInput(
            f"features have shape {list(x.shape)}: the plan has {graph.vertices} vertices and the "
            f"type {type_in} {type_in.width} numbers"
        )
    shape = (graph.ring_count, type_in.width, type_out.width)
    if weight.shape != shape:
        raise InvalidInput(f"weight has shape {list(weight.shape)}, it must be {list(shape)}")
    count = self_numbers(type_in, type_out)
    if self_weight is not None and self_weight.shape != (count,):
        raise InvalidInput(f"self_weight has {list(self_weight.shape)} numbers, not [{count}]")
    if bias is not None and bias.shape != (type_out.width,):
        raise InvalidInput(f"bias has shape {list(bias.shape)}, not [{type_out.width}]")
