"""The kernels of `voxelise` and the adapters to volumes. No torch here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from intertwiner.fields import NODE, VOXEL, Field, Label, Point, Scalar, Structure
from intertwiner.specs import AdapterSpec, KernelSpec

__all__ = ["adapters", "kernels"]

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


def adapters() -> Iterable[AdapterSpec]:
    """Atoms and complexes to volumes."""
    yield AdapterSpec(
        name="atoms-to-voxels",
        summary="Gaussians on a grid of 25 voxels of 0.6 angstrom: H, C, N, O, S, other",
        target=f"{_PACKAGE}.adapters:VolumeOfAtoms",
        config=f"{_PACKAGE}.config:AtomsToVoxels",
        takes=Structure.ATOMS,
        gives=Structure.VOXELS,
        needs=(Field("pos", NODE, Point()), Field("z", NODE, Label())),
        adds=(Field("volume", VOXEL, Scalar(6), "1", "H, C, N, O, S, other"),),
    )
    yield AdapterSpec(
        name="complex-to-voxels",
        summary="What lies around a ligand, 25 voxels of 1 angstrom: elements of either part",
        target=f"{_PACKAGE}.adapters:VolumeOfComplex",
        config=f"{_PACKAGE}.config:ComplexToVoxels",
        takes=Structure.COMPLEX,
        gives=Structure.VOXELS,
        adds=(Field("volume", VOXEL, Scalar(10), "1", "C, N, O, S, other of protein and ligand"),),
    )
