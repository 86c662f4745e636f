"""`tensor_product_scatter`: gather, tensor product with radial weights, and scatter, as one.

The operation is served by the best kernel that can run; `INTERTWINER_KERNELS=reference` forces
the plain one of `kernels.reference`.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from intertwiner.kernels import dispatch
from intertwiner_equivariant_conv.errors import InvalidInput, WrongType
from intertwiner_equivariant_conv.layers.paths import infer_paths

__all__ = ["OPERATION", "check_edges", "sort_edges", "tensor_product_scatter"]

OPERATION = "tensor_product_scatter"


def tensor_product_scatter(
    features: Float[Tensor, "nodes rows_in channels"],
    harmonics: Float[Tensor, "edges rows_edge"],
    weights: Float[Tensor, "edges paths*channels"],
    source: Int[Tensor, " edges"],
    target: Int[Tensor, " edges"],
    nodes: int,
    *,
    validate: bool = True,
) -> Float[Tensor, "nodes rows_out channels"]:
    """Messages summed at every node, a slot for every path.

        out[n, k_p, c] = sum_{e: target(e) = n} W[e, p, c]
                         sum_ij sqrt(2 l3 + 1) Q^{l1 l2 l3}_{ijk} x[source(e), i, c] Y[e, j]

    Weights are path-major and channel-minor with paths as in `path_table`: e3nn's order for
    `TensorProduct(..., "uvu", shared_weights=False)`. Differentiable to any order.

    Raises `InvalidInput` for shapes that do not fit, edges out of range or not sorted by target,
    and tensors on several devices; `WrongType` for dtypes that differ or are not supported.
    """
    _check_tensors(features, harmonics, weights, source, target)
    infer_paths(features.shape[1], harmonics.shape[1], features.shape[2], weights.shape[1])
    if validate:
        check_edges(source, target, len(features), nodes)
    run = dispatch(OPERATION, features.device, features.dtype)
    out: Tensor = run(features, harmonics, weights, source, target, nodes)
    return out


def _check_tensors(features: Tensor, harmonics: Tensor, weights: Tensor, *ends: Tensor) -> None:
    tensors = (features, harmonics, weights, *ends)
    if len({tensor.device for tensor in tensors}) > 1:
        raise InvalidInput(f"tensors on several devices: {[str(t.device) for t in tensors]}")
    kinds = [tensor.dtype for tensor in tensors[:3]]
    if len(set(kinds)) > 1:
        raise WrongType(f"features, harmonics and weights have dtypes {kinds}: use one for all")
    if kinds[0] not in (torch.float32, torch.float64):
        raise WrongType(f"{kinds[0]} is not supported: use float32 or float64")
    if any(end.dtype != torch.int64 for end in ends):
        raise InvalidInput(f"edges have dtypes {[end.dtype for end in ends]}: use int64")
    lengths = [len(harmonics), len(weights), *(len(end) for end in ends)]
    if len(set(lengths)) > 1 or features.ndim != 3:
        raise InvalidInput(
            f"harmonics, weights, source and target have lengths {lengths}, features have shape "
            f"{list(features.shape)}: one row an edge, and features [nodes, rows, channels]"
        )


def check_edges(
    source: Int[Tensor, " edges"], target: Int[Tensor, " edges"], sources: int, targets: int
) -> None:
    """Raises `InvalidInput` where an edge points outside, or edges are not sorted by target."""
    if len(source) == 0:
        return
    for name, end, count in (("source", source, sources), ("target", target, targets)):
        lowest, highest = (int(value) for value in torch.aminmax(end))
        if lowest < 0 or highest >= count:
            seen = lowest if lowest < 0 else highest
            raise InvalidInput(f"{name} {seen} of an edge is outside the {count} nodes")
    if bool((target[1:] < target[:-1]).any()):
        raise InvalidInput("edges are not sorted by target: pass them through `sort_edges`")


def sort_edges(
    source: Int[Tensor, " edges"], target: Int[Tensor, " edges"]
) -> tuple[Int[Tensor, " edges"], Int[Tensor, " edges"], Int[Tensor, " edges"]]:
    """(source, target, order) sorted by target, equal targets in the order given."""
    order = torch.sort(target, stable=True).indices
    return source[order], target[order], order
