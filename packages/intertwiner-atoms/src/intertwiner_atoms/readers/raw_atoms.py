"""A molecule as a reader found it, and what of it passed validation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch_geometric.data import Data

__all__ = ["Atoms", "RawAtoms"]


@dataclass
class RawAtoms:
    """One record as a reader found it.

    where: its place in the file, such as "frame 3", for messages; empty when there is one.
    tokens: what the file says each atom's element is; where `kind` is given, the different
    elements, and kind: [atoms] which of them each atom is.
    labels: how to call each atom in messages. text: the record itself where RDKit can read bonds
    in it, as a mol block or a MOL2 record.
    cell: [3, 3] vectors in angstrom as rows, with pbc: [3] which of them repeat.
    """

    file: Path
    name: str
    where: str
    tokens: Sequence[str]
    labels: Sequence[str]
    pos: Float[NDArray[np.float64], "atoms 3"]
    cell: Float[NDArray[np.float64], "3 3"] | None = None
    pbc: Bool[NDArray[np.bool_], " 3"] | None = None
    kind: Int[NDArray[np.int64], " atoms"] | None = None
    text: str = ""

    @property
    def place(self) -> str:
        return f"{self.file}, {self.where}" if self.where else str(self.file)


@dataclass(frozen=True)
class Atoms:
    """A record that was checked. kept: which rows of `raw` its atoms are."""

    raw: RawAtoms
    z: Int[NDArray[np.int64], " atoms"]
    kept: Int[NDArray[np.int64], " atoms"]

    @cached_property
    def pos(self) -> Float[NDArray[np.float64], "atoms 3"]:
        return self.raw.pos[self.kept]

    def label(self, atom: int) -> str:
        """How an atom is called in messages."""
        return self.raw.labels[int(self.kept[atom])]

    def compact(self) -> Atoms:
        """The same without what only messages need, to be sent to another process."""
        raw = replace(self.raw, tokens=(), kind=None, labels=(), pos=self.pos, text="")
        return Atoms(raw, self.z, np.arange(len(self.z)))

    def record(self) -> Data:
        """pos [atoms, 3] float32 in angstrom, z [atoms], name, and where there is one the cell."""
        import torch  # not at the top: worker processes read files without it
        from torch_geometric.data import Data

        raw = self.raw
        pos = torch.from_numpy(self.pos.astype(np.float32))
        record = Data(pos=pos, z=torch.from_numpy(self.z), name=raw.name)
        if raw.cell is not None and raw.pbc is not None:
            record.cell = torch.from_numpy(raw.cell.astype(np.float32))[None]
            record.pbc = torch.from_numpy(raw.pbc)[None]
        return record
