"""The 74 atom and 13 bond features of the benchmark, from codes (Zhu et al., arXiv:2109.07258).

Atom columns: 0-42 element, 43-53 degree, 54-60 implicit valence, 61 formal charge, 62 radical
electrons, 63-67 hybridisation, 68 aromatic, 69-73 hydrogens. Bond columns: 0-3 order, 4 conjugated,
5 in a ring, 6-11 stereo, 12 self-loop.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from intertwiner.errors import DataError
from intertwiner_fedchem.data.codes import ATOM_RADICES, BOND_RADICES, SELF_LOOP

__all__ = ["ATOM_FEATURES", "BOND_FEATURES", "atom_features", "bond_features"]

ATOM_FEATURES: Final = 74
BOND_FEATURES: Final = 13
_ATOM_BLOCKS: Final = (43, 11, 7, "signed", "number", 5, "flag", 5)
_BOND_BLOCKS: Final = (4, "flag", "flag", 6)


def atom_features(
    codes: Int[Tensor, " atoms"], dtype: torch.dtype = torch.float32
) -> Float[Tensor, "atoms 74"]:
    """The features of atoms. Raises `DataError` for a negative code."""
    if len(codes) and int(codes.min()) < 0:
        raise DataError(f"atom_code {int(codes.min())}: codes are 0 or more")
    return torch.cat(_columns(codes, ATOM_RADICES, _ATOM_BLOCKS), 1).to(dtype)


def bond_features(
    codes: Int[Tensor, " edges"], dtype: torch.dtype = torch.float32
) -> Float[Tensor, "edges 13"]:
    """The features of bonds and self-loops. Raises `DataError` for a code out of range."""
    if len(codes) and not 0 <= int(codes.min()) <= int(codes.max()) <= SELF_LOOP:
        worst = int(codes.max() if codes.max() > SELF_LOOP else codes.min())
        raise DataError(f"bond_code {worst}: codes are 0 to {SELF_LOOP}")
    loop = codes == SELF_LOOP
    bonds = torch.cat(_columns(codes, BOND_RADICES, _BOND_BLOCKS), 1) * ~loop[:, None]
    return torch.cat([bonds, loop[:, None]], 1).to(dtype)


def _columns(
    codes: Int[Tensor, " items"], radices: Sequence[int], blocks: Sequence[int | str]
) -> list[Int[Tensor, "items width"]]:
    found, rest = [], codes
    for radix, block in zip(radices, blocks, strict=True):
        found.append(_block(rest % radix, block))
        rest = torch.div(rest, radix, rounding_mode="floor")
    return found


def _block(digit: Int[Tensor, " items"], block: int | str) -> Int[Tensor, "items width"]:
    """One hot in so many columns, zeros for the value behind the last; or the number itself."""
    if isinstance(block, int):
        return (digit[:, None] == torch.arange(block, device=digit.device)).long()
    if block == "signed":
        odd = digit % 2 == 1
        digit = torch.where(odd, (digit + 1) // 2, -(digit // 2))
    return digit[:, None]
