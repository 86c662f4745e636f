"""The forms of the expansion. No torch here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from intertwiner.specs import KernelSpec

__all__ = ["OPERATION", "expansion_kernels"]

OPERATION: Final = "steerable_expansion"
_PACKAGE: Final = "intertwiner_steerable3d.kernels"


def expansion_kernels() -> Iterable[KernelSpec]:
    """All implementations of `steerable_expansion`."""
    common: dict[str, Any] = {
        "op": OPERATION,
        "reference": f"{_PACKAGE}.reference:expand",
        "examples": f"{_PACKAGE}.reference:examples",
        "differentiable": 2,
    }
    yield KernelSpec(
        name="expansion-gemm",
        summary="Plain torch: a matrix product and a copy for every pair of orders",
        target=f"{_PACKAGE}.gemm:expand_kernel",
        **common,
    )
    yield KernelSpec(
        name="expansion-compiled",
        summary="C++ compiled once at first use: the kernel is written in one pass",
        target=f"{_PACKAGE}.compiled.expansion:expand_kernel",
        device="cpu",
        priority=20,
        **common,
    )
