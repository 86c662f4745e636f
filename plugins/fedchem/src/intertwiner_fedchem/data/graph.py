"""A molecule as three arrays; RDKit is not needed for it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Graph"]


@dataclass(frozen=True, slots=True)
class Graph:
    """atom_code [atoms]; ends [edges, 2] with both directions of a bond one after the other;
    bond_code [edges].
    """

    atom_code: NDArray[np.int64]
    ends: NDArray[np.int64]
    bond_code: NDArray[np.int64]
