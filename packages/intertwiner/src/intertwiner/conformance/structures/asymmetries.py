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

__all__ = ["ASYMMETRIES"]


def _per_graph(values: Float[Tensor, "nodes ..."], batch: Batch) -> Float[Tensor, "graphs ..."]:
    averaged: Tensor = scatter(values, batch.batch, 0, batch.num_graphs, reduce="mean")
    return averaged


def _centred(batch: Batch) -> Float[Tensor, "nodes 3"]:
    centred: Tensor = batch.pos - _per_graph(batch.pos, batch)[batch.batch]
    return centred


def _place(batch: Batch) -> Float[Tensor, " graphs"]:
    """Changes when the molecule is moved: its absolute x coordinate."""
    return torch.sin(_per_graph(batch.pos[:, 0], batch))


def _axis(batch: Batch) -> Float[Tensor, " graphs"]:
    """Changes when the molecule is turned: its extent along the first axis."""
    return torch.tanh(_per_graph(_centred(batch)[:, 0] ** 2, batch))


def _handedness(batch: Batch) -> Float[Tensor, " graphs"]:
    """Changes sign under reflections and nothing else: a triple product of three moments."""
    centred = _centred(batch)
    charge = batch.z.to(centred.dtype)[:, None]
    size = centred.square().sum(1, keepdim=True)
    first = _per_graph(charge * centred, batch)
    second = _per_graph(size * centred, batch)
    third = _per_graph(charge * size**2 * centred, batch)
    return torch.tanh((first * torch.linalg.cross(second, third)).sum(1))


def _numbering(batch: Batch) -> Float[Tensor, " graphs"]:
    """Changes when atoms are renumbered: a sum weighted by the number of the atom."""
    number = torch.arange(batch.num_nodes, device=batch.z.device) - batch.ptr[batch.batch]
    return _per_graph(torch.cos(number) * batch.z / 8, batch).to(batch.pos.dtype)


def _company(batch: Batch) -> Float[Tensor, " graphs"]:
    """Depends on the other molecules of the batch: the mean size over all of them."""
    return _centred(batch).norm(dim=1).mean().expand(batch.num_graphs)


ASYMMETRIES: Final[Mapping[str, Asymmetry]] = {
    "place": _place,
    "axis": _axis,
    "handedness": _handedness,
    "numbering": _numbering,
    "company": _company,
}
