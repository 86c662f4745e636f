"""How many parameters a network has, and the width that gives a wanted number."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from intertwiner_equivariant_conv.errors import InvalidSetting
from intertwiner_equivariant_conv.layers.paths import PathTable, path_table

__all__ = ["TOLERANCE", "count_parameters", "match_width"]

TOLERANCE = 0.03
"""Largest relative difference for which two networks count as equally large."""


def count_parameters(
    channels: int,
    depth: int,
    lmax: int,
    *,
    elements: int = 5,
    charges: bool = True,
    vectors: bool = False,
    radial_basis: int = 8,
    radial_hidden: Sequence[int] = (64, 64),
    parity: bool = True,
) -> int:
    """Learned numbers of a depthwise network with one read-out of charges, vectors or both.

    depth: number of convolutions. charges: two layers, a shift for each element; vectors: one
    number a channel; and one scale.
    """
    every = tuple(range(lmax + 1))
    read = (0, 1) if vectors else (0,)
    total = elements * channels + 1
    for layer in range(depth):
        orders = read if layer == depth - 1 else every
        table = path_table(lmax if layer else 0, lmax, parity, max(orders))
        widths = [radial_basis, *radial_hidden, len(table) * channels]
        total += sum(fan_in * fan_out for fan_in, fan_out in pairwise(widths))
        total += _count_mixing(table, orders, channels)
    if charges:
        total += channels * channels + 2 * channels + 1 + elements
    return total + (channels if vectors else 0)


def _count_mixing(table: PathTable, orders: Sequence[int], channels: int) -> int:
    """Weights that mix the channels of messages and of the atom's own features."""
    total = 0
    for order in orders:
        width = channels * (len(orders) if order == 0 else 1)
        own = 1 if order <= table.lmax_in else 0
        total += (len(table.ending_in(order)) + own) * channels * width
    return total


def match_width(
    target_parameters: int,
    depth: int,
    lmax: int,
    *,
    elements: int = 5,
    charges: bool = True,
    vectors: bool = False,
    radial_basis: int = 8,
    radial_hidden: Sequence[int] = (64, 64),
    parity: bool = True,
) -> int:
    """The number of channels whose parameters are nearest to `target_parameters`.

    Raises `InvalidSetting` when even the nearest differs by more than 3 %.
    """

    def count(channels: int) -> int:
        return count_parameters(
            channels,
            depth,
            lmax,
            elements=elements,
            charges=charges,
            vectors=vectors,
            radial_basis=radial_basis,
            radial_hidden=radial_hidden,
            parity=parity,
        )

    width = 1
    while count(width + 1) <= target_parameters:
        width += 1
    best = min((width, width + 1), key=lambda channels: abs(count(channels) - target_parameters))
    if abs(count(best) - target_parameters) > TOLERANCE * target_parameters:
        raise InvalidSetting(
            f"no width at lmax {lmax} and depth {depth} comes within 3 % of {target_parameters} "
            f"parameters: {width} channels have {count(width)}, {width + 1} {count(width + 1)}"
        )
    return best
