"""From a batch of records to one plan, with the plans of meshes seen before kept.

A plan depends on the positions, the faces and the frames a record asks for; it is found again by
a digest of them, so that training on the same meshes computes each plan once.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch_geometric.data import Batch, Data

from intertwiner_gauge_mesh.errors import InvalidInput, WrongType
from intertwiner_gauge_mesh.plan import MeshPlan

__all__ = ["Planner", "single_meshes", "split_faces", "welded_first", "welded_mean"]

KEPT_EDGES = 16_000_000
"""Directed edges of the plans that are kept, about 600 MB."""


class Planner:
    """`planner(batch)` is the plan of all meshes of the batch.

    make: (pos, face, frame or None) -> plan of one mesh.
    """

    def __init__(self, make: Callable[[Tensor, Tensor, Tensor | None], MeshPlan]) -> None:
        self.make = make
        self._kept: OrderedDict[bytes, MeshPlan] = OrderedDict()
        self._edges = 0

    def __getstate__(self) -> dict[str, Any]:
        """A copy of a network starts without plans."""
        return {"make": self.make, "_kept": OrderedDict(), "_edges": 0}

    def __call__(self, batch: Batch) -> MeshPlan:
        """Reads `pos`, `face`, and where they are there `frame` and `gauge_angle` (radian).

        frame: a direction [V, 3] whose tangent part is the X axis of the vertex.
        Raises what `MeshPlan.from_mesh` raises; messages count vertices within the mesh.
        """
        plans = self.plans(batch)
        # What layers keep with the plan goes with the batch; what belongs to a mesh, with its part.
        plan = MeshPlan.join(plans) if len(plans) > 1 else replace(plans[0], parts=(plans[0],))
        plan = replace(plan, cache={})
        angle = batch.get("gauge_angle")
        if angle is None:
            return plan
        return plan.turned(welded_first(plan, angle))

    def plans(self, batch: Batch) -> list[MeshPlan]:
        """The plans of the meshes of a batch one by one, without `gauge_angle`."""
        frame = batch.get("frame")
        bounds = batch.ptr.tolist()
        faces = split_faces(batch.face, bounds)
        return [
            self._find(batch.pos[start:stop], face, None if frame is None else frame[start:stop])
            for start, stop, face in zip(bounds, bounds[1:], faces, strict=False)
        ]

    def _find(self, pos: Tensor, face: Tensor, frame: Tensor | None) -> MeshPlan:
        if pos.requires_grad:
            return self.make(pos, face, frame)
        key = _digest(pos, face, frame)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        plan = self.make(pos, face, frame)
        self._kept[key] = plan
        self._edges += len(plan.target)
        while self._edges > KEPT_EDGES and len(self._kept) > 1:
            _, old = self._kept.popitem(last=False)
            self._edges -= len(old.target)
        return plan


def single_meshes(batch: Batch) -> list[Data]:
    """The meshes of a batch one by one, with their vertex fields and a `ptr` of their own."""
    bounds = batch.ptr.tolist()
    vertices = bounds[-1]
    fields = {
        name: value
        for name, value in batch.to_dict().items()
        if isinstance(value, Tensor)
        and name not in ("face", "ptr", "batch")
        and value.ndim > 0
        and len(value) == vertices
    }
    found = []
    for start, stop, face in zip(bounds, bounds[1:], split_faces(batch.face, bounds), strict=False):
        parts = {name: value[start:stop] for name, value in fields.items()}
        ptr = torch.tensor([0, stop - start], device=batch.pos.device)
        found.append(Data(**parts, face=face, ptr=ptr, num_nodes=stop - start))
    return found


def split_faces(face: Int[Tensor, "3 faces"], bounds: list[int]) -> list[Int[Tensor, "3 faces"]]:
    """The faces of each mesh of a batch, with vertices counted from its own first one.

    Raises `InvalidInput` when a face has corners in two meshes, `WrongType` for a wrong shape.
    """
    if face.ndim != 2 or face.shape[0] != 3:
        raise WrongType(f"faces have shape {list(face.shape)}: they must be [3, faces]")
    edges = torch.tensor(bounds[1:], device=face.device)
    owner = torch.bucketize(face, edges, right=True)
    mixed = (owner != owner[:1]).any(0)
    if bool(mixed.any()):
        first = int(mixed.nonzero()[0])
        raise InvalidInput(
            f"face {first} of the batch has corners {face[:, first].tolist()} in two meshes"
        )
    if len(bounds) == 2:
        return [face]
    return [face[:, owner[0] == mesh] - bounds[mesh] for mesh in range(len(bounds) - 1)]


def welded_first(plan: MeshPlan, values: Float[Tensor, "original ..."]) -> Tensor:
    """The value of the first of the vertices that were welded together."""
    if plan.weld is None:
        return values
    numbers = torch.arange(len(plan.weld), device=values.device)
    first = torch.full((plan.vertices,), len(plan.weld), device=values.device)
    return values[first.scatter_reduce(0, plan.weld, numbers, "amin")]


def welded_mean(plan: MeshPlan, values: Float[Tensor, "original ..."]) -> Tensor:
    """The mean of the values of the vertices that were welded together."""
    if plan.weld is None:
        return values
    counts = torch.bincount(plan.weld, minlength=plan.vertices).to(values.dtype)
    total = values.new_zeros(plan.vertices, *values.shape[1:]).index_add(0, plan.weld, values)
    return total / counts.view(-1, *(1,) * (values.ndim - 1))


def _digest(pos: Tensor, face: Tensor, frame: Tensor | None) -> bytes:
    text = f"{pos.dtype} {pos.device} {tuple(pos.shape)} {tuple(face.shape)}"
    found = hashlib.blake2b(text.encode(), digest_size=20)
    for item in (pos, face, frame):
        if item is not None:
            found.update(item.detach().cpu().contiguous().numpy().data)
    return found.digest()
