"""What a broken twin adds on atoms: numbers per molecule that each break exactly one promise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor
from torch_geometric.data import Batch
from torch_geometric.utils import scatter

from intertwiner.conformance.structures.base import Asymmetry

__all__ = ["ASYMMETRIES", "centred", "per_graph"]


def per_graph(values: Float[Tensor, "nodes ..."], batch: Batch) -> Float[Tensor, "graphs ..."]:
    """The mean over each record."""
    averaged: Tensor = scatter(values, batch.batch, 0, batch.num_graphs, reduce="mean")
    return averaged


def centred(batch: Batch) -> Float[Tensor, "nodes dimension"]:
    """Positions about the mean of their own record."""
    about: Tensor = batch.pos - per_graph(batch.pos, batch)[batch.batch]
    return about


def _place(batch: Batch) -> Float[Tensor, " graphs"]:
    """Changes when the molecule is moved: its absolute x coordinate."""
    return torch.sin(per_graph(batch.pos[:, 0], batch))


def _axis(batch: Batch) -> Float[Tensor, " graphs"]:
    """Changes when the molecule is turned: its extent along the first axis."""
    return torch.tanh(per_graph(centred(batch)[:, 0] ** 2, batch))


def _handedness(batch: Batch) -> Float[Tensor, " graphs"]:
    """Changes sign under reflections and nothing else: a triple product of three moments (in the
    plane, the area that two of them span).
    """
    place = centred(batch)
    charge = batch.z.to(place.dtype)[:, None]
    size = place.square().sum(1, keepdim=True)
    weights = (charge, size, charge * size**2)[: batch.pos.shape[1]]
    moments = torch.stack([per_graph(weight * place, batch) for weight in weights], 1)
    return torch.tanh(torch.linalg.det(moments))


def _numbering(batch: Batch) -> Float[Tensor, " graphs"]:
    """Changes when atoms are renumbered: a sum weighted by the number of the atom."""
    number = torch.arange(batch.num_nodes, device=batch.z.device) - batch.ptr[batch.batch]
    return per_graph(torch.cos(number) * batch.z / 8, batch).to(batch.pos.dtype)


def _company(batch: Batch) -> Float[Tensor, " graphs"]:
    """Depends on the other molecules of the batch: the mean size over all of them."""
    return centred(batch).norm(dim=1).mean().expand(batch.num_graphs)


ASYMMETRIES: Final[Mapping[str, Asymmetry]] = {
    "place": _place,
    "axis": _axis,
    "handedness": _handedness,
    "numbering": _numbering,
    "company": _company,
}
