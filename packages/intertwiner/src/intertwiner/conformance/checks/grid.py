"""The 24 rotations of a voxel grid: exact, so that no interpolation excuses an error."""

from __future__ import annotations

import torch
from torch import Tensor

from intertwiner.conformance.action import act
from intertwiner.conformance.compare import compare
from intertwiner.conformance.findings import Finding, NotCovered
from intertwiner.conformance.groups import Motion, octahedral_rotations
from intertwiner.conformance.structures.voxels import VoxelsKit, turn_grid
from intertwiner.conformance.subject import Subject
from intertwiner.fields import VOXEL, Field

__all__ = ["grid"]


def grid(subject: Subject) -> list[Finding]:
    """Turning the grid turns voxel outputs with it and graph outputs by their representation."""
    kit = subject.kit
    if not isinstance(kit, VoxelsKit):
        raise NotCovered(f"no grid symmetry is tested on {kit.structure}")
    records = subject.records()
    hint = "kernels that are not equivariant, strides on even grids, and padding on one side alone"
    for dtype in (torch.float64, torch.float32):
        module = subject.module(dtype)
        before = subject.outputs(module, records, dtype)
        for rotation in _some(dtype):
            turned = [kit.turned(subject.schema, record, rotation) for record in records]
            after = subject.outputs(module, turned, dtype)
            expected = {
                target.name: _turned(target, before[target.name], rotation)
                for target in subject.schema.targets
            }
            what = f"a rotation of the grid did not change it as declared, in {dtype}"
            found = compare(subject, records, expected, after, subject.tolerance(dtype), what, hint)
            if found:
                return found
    return []


def _some(dtype: torch.dtype) -> list[Tensor]:
    """All rotations but the identity; in float32 three of them."""
    rotations = octahedral_rotations()[1:]
    return rotations if dtype == torch.float64 else rotations[::8]


def _turned(target: Field, values: Tensor, rotation: Tensor) -> Tensor:
    if target.site == VOXEL:
        return turn_grid(target.rep, values, rotation)
    still = torch.zeros(3, dtype=torch.float64)
    return act(target.rep, values, Motion("a rotation of the grid", rotation, still))
