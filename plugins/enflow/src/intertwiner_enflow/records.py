"""Configurations of a batch of records: tensors [batch, particles, dimension], size by size."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch_geometric.data import Batch

from intertwiner_enflow.dynamics.egnn import centred

__all__ = ["LANES", "alike", "configurations", "padded", "targets_of"]

LANES = 16
"""Samples that the compiled program works on at a time, at most."""


def configurations(
    batch: Batch,
) -> Iterator[tuple[Int[Tensor, " records"], Float[Tensor, "records n dim"]]]:
    """(numbers of the records, their centred positions), one pair for every size there is."""
    sizes = batch.ptr.diff()
    largest = int(sizes.max())
    if bool((sizes == largest).all()):
        yield torch.arange(len(sizes), device=sizes.device), _shaped(batch.pos, len(sizes))
        return
    for size in sizes.unique().tolist():
        rows = (sizes == size).nonzero().squeeze(1)
        atoms = batch.ptr[rows].unsqueeze(1) + torch.arange(size, device=sizes.device)
        yield rows, _shaped(batch.pos[atoms.flatten()], len(rows))


def targets_of(batch: Batch) -> set[str]:
    """Names of the targets that the records follow; empty where they do not say."""
    return set(batch.target) if "target" in batch else set()


def padded(
    batch: Batch,
) -> tuple[
    Float[Tensor, "records most dim"], Int[Tensor, "records most"], Float[Tensor, "records most"]
]:
    """Centred positions, labels and mask of all records, zero beyond a record's own atoms."""
    sizes = batch.ptr.diff()
    place = torch.arange(len(batch.pos), device=sizes.device) - batch.ptr[batch.batch]
    shape = (len(sizes), int(sizes.max()))
    x = batch.pos.new_zeros(*shape, batch.pos.shape[-1])
    z = batch.z.new_zeros(shape)
    mask = batch.pos.new_zeros(shape)
    x[batch.batch, place] = batch.pos
    z[batch.batch, place] = batch.z
    mask[batch.batch, place] = 1
    return centred(x, mask), z, mask


def alike(mask: Float[Tensor, "records most"]) -> Iterator[tuple[Int[Tensor, " rows"], int]]:
    """(numbers of up to `LANES` records of like size, atoms of the largest), all records once.

    Padding to the largest of a batch is most of the work where sizes vary.
    """
    sizes = mask.sum(dim=1).long()
    for rows in sizes.argsort(stable=True).split(LANES):
        yield rows, int(sizes[rows[-1]])


def _shaped(pos: Tensor, records: int) -> Float[Tensor, "records n dim"]:
    return centred(pos.reshape(records, -1, pos.shape[-1]))
