"""The operation served by Triton."""

from __future__ import annotations

from jaxtyping import Float, Int
from torch import Tensor

from intertwiner_equivariant_conv.kernels.multilinear import run
from intertwiner_equivariant_conv.kernels.triton.launch import PASSES

__all__ = ["tensor_product_scatter"]

FUSED_ROWS = 9
"""Up to lmax 2 the second derivative has passes of its own. At lmax 3 they would take more than a
GPU's registers and a minute to compile, so that it is composed of the others."""


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
    fused = max(features.shape[1], harmonics.shape[1]) <= FUSED_ROWS
    passes = PASSES if fused else PASSES._replace(second=None)
    return run(passes, features, harmonics, weights, source, target, nodes)
