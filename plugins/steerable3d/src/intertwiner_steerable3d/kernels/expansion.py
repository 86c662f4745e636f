"""`expand_kernel`: flat weights to the kernel of a plain convolution, and back for gradients."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from intertwiner.kernels import dispatch
from intertwiner_steerable3d.kernels import gemm
from intertwiner_steerable3d.kernels.declarations import OPERATION
from intertwiner_steerable3d.kernels.plan import Plan

__all__ = ["expand_kernel"]


def expand_kernel(
    weight: Float[Tensor, " weights"], plan: Plan
) -> Float[Tensor, "rows columns x y z"]:
    """The kernel [out, in, x, y, z]; weights already carry the plan's scales.

    Served by the best kernel that can run; `INTERTWINER_KERNELS=reference` forces the plain one.
    Within `torch.compile` the form in plain torch serves.
    """
    if torch.compiler.is_compiling() or weight.dtype not in (torch.float32, torch.float64):
        return gemm.expand_kernel(weight, plan.handle)
    kernel: Tensor = dispatch(OPERATION, weight.device, weight.dtype)(weight, plan.handle)
    return kernel
