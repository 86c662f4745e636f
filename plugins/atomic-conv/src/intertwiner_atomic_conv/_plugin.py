"""What this plugin brings: models of complexes, their data, one operation. No torch here."""

from __future__ import annotations

from collections.abc import Iterable

from intertwiner import hookimpl
from intertwiner.specs import KernelSpec

PACKAGE = "intertwiner_atomic_conv"


@hookimpl
def intertwiner_kernels() -> Iterable[KernelSpec]:
    reference = f"{PACKAGE}.kernels.reference"
    yield KernelSpec(
        name="radial-pool-torch",
        summary="Plain torch: filters of all edges, then a sum over blocks",
        op="radial_pool",
        target=f"{reference}:radial_pool",
        reference=f"{reference}:radial_pool",
        examples=f"{reference}:examples",
        device="any",
        differentiable=2,
        priority=0,
    )
    yield KernelSpec(
        name="radial-pool-compiled",
        summary="C++ compiled once at first use; filters are never stored",
        op="radial_pool",
        target=f"{PACKAGE}.kernels.compiled.pool:radial_pool",
        reference=f"{reference}:radial_pool",
        examples=f"{reference}:examples",
        device="cpu",
        differentiable=2,
        priority=20,
    )
