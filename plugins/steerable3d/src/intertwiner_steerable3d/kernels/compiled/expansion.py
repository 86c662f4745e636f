"""The expansion in C++: the kernel is written in one pass, without copies in between."""

from __future__ import annotations

from importlib import resources

import torch
from jaxtyping import Float
from torch import Tensor

from intertwiner.compiled import OPENMP, Library, call, try_load
from intertwiner_steerable3d.kernels import gemm
from intertwiner_steerable3d.kernels.operation import linear_operation
from intertwiner_steerable3d.kernels.plan import Plan, get_plan

__all__ = ["expand", "expand_kernel", "library", "reduce"]

NAMES = {torch.float32: "float32", torch.float64: "float64"}


def library() -> Library | None:
    """The compiled functions, None where nothing can be compiled."""
    return try_load("steerable3d-expansion", _sources, flags=OPENMP, instead="plain torch")


def _sources() -> dict[str, str]:
    folder = resources.files("intertwiner_steerable3d.kernels.compiled")
    return {"expansion": folder.joinpath("expansion.cpp").read_text(encoding="utf-8")}


def expand(weight: Float[Tensor, " weights"], plan: int) -> Float[Tensor, "rows columns x y z"]:
    """See `intertwiner_steerable3d.kernels.gemm.expand`."""
    loaded = library()
    if loaded is None:
        return gemm.expand(weight, plan)
    found = get_plan(plan)
    kernel = weight.new_empty(found.shape) if found.is_full else weight.new_zeros(found.shape)
    _call(loaded, "expand", found, weight.contiguous(), kernel)
    return kernel


def reduce(kernel: Float[Tensor, "rows columns x y z"], plan: int) -> Float[Tensor, " weights"]:
    """See `intertwiner_steerable3d.kernels.gemm.reduce`."""
    loaded = library()
    if loaded is None:
        return gemm.reduce(kernel, plan)
    found = get_plan(plan)
    weight = kernel.new_empty(found.weights)
    _call(loaded, "reduce", found, kernel.contiguous(), weight)
    return weight


def _call(loaded: Library, name: str, plan: Plan, given: Tensor, out: Tensor) -> None:
    elements, table = plan.packed(given)
    sizes = (len(plan.blocks), plan.columns, plan.size**3)
    threads = torch.get_num_threads()
    call(loaded, f"{name}_{NAMES[given.dtype]}", given, elements, table, *sizes, out, threads)


expand_kernel = linear_operation("compiled", expand, reduce)
"""`expand`, differentiable to any order."""
