"""What this plugin brings: networks on volumes, their data, one operation. No torch here."""

from __future__ import annotations

from collections.abc import Iterable

from intertwiner import hookimpl
from intertwiner.specs import KernelSpec
from intertwiner_steerable3d.voxels.declarations import kernels

PAPER = "arXiv:1807.02547"
PACKAGE = "intertwiner_steerable3d"


@hookimpl
def intertwiner_kernels() -> Iterable[KernelSpec]:
    yield from kernels()
