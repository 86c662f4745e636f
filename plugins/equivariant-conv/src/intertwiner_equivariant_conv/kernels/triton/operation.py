"""The operation served by Triton."""

from __future__ import annotations

from jaxtyping import Float, Int
from torch import Tensor

from intertwiner_equivariant_conv.kernels.multilinear import run
from intertwiner_equivariant_conv.kernels.triton.launch import PASSES

__all__ = ["tensor_product_scatter"]


def tensor_product_scatter(
    features: Float[Tensor, "nodes rows_in channels"],
    harmonics: Float[Tensor, "edges rows_edge"],
    weights: Float[Tensor, "edges paths*channels"],
    source: Int[Tensor, " edges"],
    target: Int[Tensor, " edges"],
    nodes: int,
) -> Float[Tensor, "nodes rows_out channels"]:
    """See `intertwiner_equivariant_conv.kernels.tensor_product_scatter`.

    Raises `InvalidInput` for CPU tensors, unless Triton's interpreter is on.
    """
    return run(PASSES, features, harmonics, weights, source, target, nodes)
