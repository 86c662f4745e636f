"""What a broken twin adds on meshes: numbers per mesh that each break exactly one promise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor
from torch_geometric.data import Batch
from torch_geometric.utils import scatter

from intertwiner.conformance.structures.asymmetries import ASYMMETRIES, centred, per_graph
from intertwiner.conformance.structures.base import Asymmetry

__all__ = ["MESH_ASYMMETRIES"]


def _handedness(batch: Batch) -> Float[Tensor, " graphs"]:
    """Changes sign under reflections and nothing else: a triple product of three moments."""
    place = centred(batch)
    size = place.square().sum(1, keepdim=True)
    faces = torch.ones_like(batch.face.flatten())
    degree = scatter(faces, batch.face.flatten(), 0, len(place)).to(place)[:, None]
    weights = (degree, size, degree * size**2)
    moments = torch.stack([per_graph(weight * place, batch) for weight in weights], 1)
    return torch.tanh(torch.linalg.det(moments))


def _numbering(batch: Batch) -> Float[Tensor, " graphs"]:
    """Changes when vertices or faces are renumbered: sums weighted by the number of each."""
    place = centred(batch)
    vertex = torch.arange(len(place), device=place.device) - batch.ptr[batch.batch]
    owner = batch.batch[batch.face[0]]
    counts = owner.bincount(minlength=batch.num_graphs)
    face = torch.arange(len(owner), device=place.device) - (counts.cumsum(0) - counts)[owner]
    size = place.norm(dim=1)
    of_faces: Tensor = scatter(
        torch.cos(face).to(size) * size[batch.face].sum(0), owner, 0, batch.num_graphs
    )
    return torch.tanh(per_graph(torch.cos(vertex).to(size) * size, batch) + 0.1 * of_faces)


def _corner(batch: Batch) -> Float[Tensor, " graphs"]:
    """Changes when faces start at another corner: the distance of the first from the centre."""
    first = centred(batch).norm(dim=1)[batch.face[0]]
    found: Tensor = scatter(first, batch.batch[batch.face[0]], 0, batch.num_graphs, reduce="mean")
    return torch.tanh(found)


def _frame(batch: Batch) -> Float[Tensor, " graphs"]:
    """Changes when tangent frames are turned: the mean sine of their angles."""
    if "gauge_angle" not in batch:
        return batch.pos.new_zeros(batch.num_graphs)
    return per_graph(torch.sin(batch.gauge_angle), batch)


MESH_ASYMMETRIES: Final[Mapping[str, Asymmetry]] = {
    **{name: ASYMMETRIES[name] for name in ("place", "axis", "company")},
    "handedness": _handedness,
    "numbering": _numbering,
    "corner": _corner,
    "frame": _frame,
}
