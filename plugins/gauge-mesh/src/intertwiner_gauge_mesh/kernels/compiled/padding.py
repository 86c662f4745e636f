"""Channels filled up with zeros to whole registers, and cut off again.

Where every order has a multiple of the register's numbers already, nothing is copied.
"""

from __future__ import annotations

import functools

import torch
from jaxtyping import Float, Int
from torch import Tensor

from intertwiner_gauge_mesh.kernels.algebra import self_sizes
from intertwiner_gauge_mesh.types import FeatureType

__all__ = ["cut_columns", "cut_self", "pad_columns", "pad_self", "padded_counts"]


def padded_counts(kind: FeatureType, width: int) -> tuple[int, ...]:
    """Channels of each order, rounded up to a multiple of `width`."""
    return tuple(-(-count // width) * width for count in kind.multiplicities)


@functools.cache
def _columns(kind: FeatureType, width: int) -> tuple[int, Int[Tensor, " width"]] | None:
    """(padded width, place of every number in it); None where nothing is added."""
    counts = padded_counts(kind, width)
    if counts == kind.multiplicities:
        return None
    places, start = [], 0
    for block, count in zip(kind.blocks, counts, strict=True):
        for part in range(2 if block.order else 1):
            begin = start + part * count
            places.append(torch.arange(begin, begin + block.count))
        start += count * (2 if block.order else 1)
    return start, torch.cat(places)


def pad_columns(
    x: Float[Tensor, "... numbers"], kind: FeatureType, width: int
) -> Float[Tensor, "... padded"]:
    """The last dimension padded order by order; contiguous."""
    found = _columns(kind, width)
    if found is None:
        return x.contiguous()
    padded = x.new_zeros(*x.shape[:-1], found[0])
    padded[..., found[1]] = x
    return padded


def cut_columns(
    x: Float[Tensor, "... padded"], kind: FeatureType, width: int
) -> Float[Tensor, "... numbers"]:
    """The inverse of `pad_columns`."""
    found = _columns(kind, width)
    return x if found is None else x.index_select(-1, found[1])


def pad_self(
    numbers: Float[Tensor, " self_numbers"],
    type_in: FeatureType,
    type_out: FeatureType,
    width: int,
) -> Float[Tensor, " padded"]:
    """The numbers of the map of a vertex to itself, for padded types."""
    places = _self_places(type_in, type_out, width)
    if places is None:
        return numbers.contiguous()
    padded = numbers.new_zeros(places[0])
    padded[places[1]] = numbers
    return padded


def cut_self(
    padded: Float[Tensor, " padded"],
    type_in: FeatureType,
    type_out: FeatureType,
    width: int,
) -> Float[Tensor, " self_numbers"]:
    """The inverse of `pad_self`."""
    places = _self_places(type_in, type_out, width)
    return padded if places is None else padded[places[1]]


@functools.cache
def _self_places(
    type_in: FeatureType, type_out: FeatureType, width: int
) -> tuple[int, Int[Tensor, " self_numbers"]] | None:
    counts_in, counts_out = padded_counts(type_in, width), padded_counts(type_out, width)
    if counts_in == type_in.multiplicities and counts_out == type_out.multiplicities:
        return None
    places, start = [], 0
    for order, (matrices, rows, columns) in enumerate(self_sizes(type_in, type_out)):
        tall, wide = counts_in[order], counts_out[order]
        grid = torch.arange(matrices * tall * wide).view(matrices, tall, wide)
        places.append(start + grid[:, :rows, :columns].flatten())
        start += matrices * tall * wide
    return start, torch.cat(places)
