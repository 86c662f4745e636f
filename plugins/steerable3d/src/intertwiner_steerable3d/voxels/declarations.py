"""The kernels of `voxelise` and the adapters to volumes. No torch here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from intertwiner.specs import KernelSpec

__all__ = ["kernels"]

_PACKAGE: Final = "intertwiner_steerable3d.voxels"
OPERATION: Final = "voxelise"


def kernels() -> Iterable[KernelSpec]:
    """All implementations of `voxelise`."""
    yield KernelSpec(
        name="voxelise-torch",
        summary="Plain torch: every atom's box of voxels, added where it belongs",
        target=f"{_PACKAGE}.scatter:voxelise",
        differentiable=2,
        op=OPERATION,
        reference=f"{_PACKAGE}.reference:voxelise",
        examples=f"{_PACKAGE}.reference:examples",
    )
    yield KernelSpec(
        name="voxelise-compiled",
        summary="C++ compiled once at first use; nothing is stored in between",
        target=f"{_PACKAGE}.compiled.operation:voxelise",
        device="cpu",
        differentiable=1,
        priority=20,
        op=OPERATION,
        reference=f"{_PACKAGE}.reference:voxelise",
        examples=f"{_PACKAGE}.reference:examples",
    )
    yield KernelSpec(
        name="voxelise-triton",
        summary="Triton: tiles of voxels in registers, no atomics",
        target=f"{_PACKAGE}.triton.operation:voxelise",
        device="cuda",
        differentiable=1,
        requires=("triton",),
        priority=30,
        op=OPERATION,
        reference=f"{_PACKAGE}.reference:voxelise",
        examples=f"{_PACKAGE}.reference:examples",
    )
