"""Cheap features of an environment: how many atoms of each element in shells and in cells.

They are what a network on volumes must beat: a perceptron on them needs no convolution.
"""

from __future__ import annotations

from typing import Final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from intertwiner_steerable3d.data.widths import CELLS, ELEMENT_COUNT, SHELLS

__all__ = ["counts"]

_CELL: Final = 4.0


def counts(
    pos: Float[Tensor, "atoms 3"],
    element: Int[Tensor, " atoms"],
    carbon_alpha: Float[Tensor, " 3"],
    frame: Float[Tensor, "3 3"],
) -> Float[Tensor, " width"]:
    """log(1 + number) in shells about the origin (C-beta) and C-alpha, then in the frame's cells.

    pos: about the virtual C-beta, in angstrom, in the axes that `carbon_alpha` and the rows of
    `frame` are given in.
    """
    found = [_shells(pos, element), _shells(pos - carbon_alpha, element)]
    cell = torch.floor((pos @ frame.T) / _CELL).long() + CELLS // 2
    inside = ((cell >= 0) & (cell < CELLS)).all(dim=1)
    x, y, z = cell[inside].unbind(1)
    number = ((element[inside] * CELLS + x) * CELLS + y) * CELLS + z
    found.append(torch.bincount(number, minlength=ELEMENT_COUNT * CELLS**3))
    return torch.cat(found).float().log1p()


def _shells(pos: Float[Tensor, "atoms 3"], element: Int[Tensor, " atoms"]) -> Int[Tensor, " n"]:
    shell = pos.norm(dim=1).long()
    near = shell < SHELLS
    return torch.bincount(element[near] * SHELLS + shell[near], minlength=ELEMENT_COUNT * SHELLS)
