"""How many parameters a network has, and the width that gives a wanted number."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from intertwiner_equivariant_conv.errors import InvalidSetting
from intertwiner_equivariant_conv.layers.paths import path_table

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
    table = path_table(lmax, lmax, parity)
    widths = [radial_basis, *radial_hidden, len(table) * channels]
    radial = sum(fan_in * fan_out for fan_in, fan_out in pairwise(widths))
    mixing = 0
    for order in range(lmax + 1):
        out = channels * (1 + lmax if order == 0 else 1)
        mixing += (len(table.ending_in(order)) + 1) * channels * out
    head = channels * channels + 2 * channels + 1 + elements if charges else 0
    head += (channels if vectors else 0) + 1
    return depth * (radial + mixing) + elements * channels + head


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
