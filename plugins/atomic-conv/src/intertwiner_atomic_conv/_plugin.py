"""What this plugin brings: models of complexes, their data, one operation. No torch here."""

from __future__ import annotations

from collections.abc import Iterable

from intertwiner import hookimpl
from intertwiner.specs import KernelSpec

PACKAGE = "intertwiner_atomic_conv"


@hookimpl
def intertwiner_kernels() -> Iterable[KernelSpec]:
    for op, module, said in (
        ("radial_pool", "pool", "filters of all edges, then a sum over blocks"),
        ("grouped_linear", "linear", "a product for every slice, then a sum"),
    ):
        reference = f"{PACKAGE}.kernels.reference"
        name = op.replace("_", "-")
        yield KernelSpec(
            name=f"{name}-torch",
            summary=f"Plain torch: {said}",
            op=op,
            target=f"{reference}:{op}",
            reference=f"{reference}:{op}",
            examples=f"{reference}:{op}_examples",
            device="any",
            differentiable=2,
        )
        yield KernelSpec(
            name=f"{name}-compiled",
            summary="C++ compiled once at first use; nothing is stored in between",
            op=op,
            target=f"{PACKAGE}.kernels.compiled.{module}:{op}",
            reference=f"{reference}:{op}",
            examples=f"{reference}:{op}_examples",
            device="cpu",
            differentiable=2,
            priority=20,
        )
