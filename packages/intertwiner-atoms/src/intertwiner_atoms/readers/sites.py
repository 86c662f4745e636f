"""The atoms of a macromolecule as columns: thousands of them without an object for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from itertools import pairwise
from typing import Any, overload

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray

from intertwiner_atoms.elements import SYMBOLS
from intertwiner_atoms.readers.atom_names import WATERS
from intertwiner_atoms.readers.columns import number_of

__all__ = ["TOKENS", "Labels", "Sites", "sites_of_gemmi"]

DEUTERIUM = 119
"""gemmi's number of deuterium, behind the elements."""

TOKENS = (*SYMBOLS, "D")
"""The element of each number as a file would write it."""


@dataclass(frozen=True)
class Sites:
    """One row an atom, in the file's order.

    z: atomic numbers; 0 where the file names no element, 119 for deuterium. pos: angstrom.
    altloc: the letter of an alternate place, 0 for none. residue_name, chain, name: bytes.
    """

    z: Int[NDArray[np.int64], " atoms"]
    pos: Float[NDArray[np.float64], "atoms 3"]
    occupancy: Float[NDArray[np.float32], " atoms"]
    altloc: Int[NDArray[np.uint8], " atoms"]
    name: NDArray[np.bytes_]
    residue_name: NDArray[np.bytes_]
    chain: NDArray[np.bytes_]
    number: Int[NDArray[np.int32], " atoms"]
    insertion: Int[NDArray[np.uint8], " atoms"]
    serial: Int[NDArray[np.int32], " atoms"]
    hetero: Bool[NDArray[np.bool_], " atoms"]

    def __len__(self) -> int:
        return len(self.z)

    def take(self, chosen: NDArray[Any]) -> Sites:
        """The rows that a mask or numbers choose."""
        return replace(self, **{f.name: getattr(self, f.name)[chosen] for f in fields(self)})

    @cached_property
    def residue(self) -> Int[NDArray[np.int64], " atoms"]:
        """The running number of each atom's residue: a new chain, number or insertion code."""
        new = np.zeros(len(self), dtype=bool)
        for column in (self.chain, self.number, self.insertion):
            new[1:] |= column[1:] != column[:-1]
        return np.cumsum(new)

    @cached_property
    def water(self) -> Bool[NDArray[np.bool_], " atoms"]:
        """Which atoms belong to water."""
        names = self.residue_name.astype("S8").view(np.uint64)
        found = np.zeros(len(self), dtype=bool)
        for name in WATERS:
            found |= names == number_of(name)
        return found

    def residue_label(self, row: int) -> str:
        """Chain, residue and number of an atom: "A/ALA 17"."""
        code = chr(self.insertion[row]).strip()
        return f"{_text(self.chain[row])}/{_text(self.residue_name[row])} {self.number[row]}{code}"

    def label(self, row: int) -> str:
        """How an atom is called in messages: "atom A/ALA 17/CA (serial 9)"."""
        altloc = f".{chr(self.altloc[row])}" if self.altloc[row] else ""
        name = f"{_text(self.name[row])}{altloc}"
        return f"atom {self.residue_label(row)}/{name} (serial {self.serial[row]})"


class Labels(Sequence[str]):
    """The labels of atoms, each made when it is asked for."""

    def __init__(self, sites: Sites) -> None:
        self._sites = sites

    def __len__(self) -> int:
        return len(self._sites)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self._sites.label(row) for row in range(*index.indices(len(self)))]
        return self._sites.label(int(index))


def sites_of_gemmi(flat: Any) -> list[Sites]:
    """The models of a `gemmi.FlatStructure`, each as `Sites`."""
    models = np.asarray(flat.model_num)
    every = Sites(
        z=np.asarray(flat.elements, dtype=np.int64),
        pos=np.array(flat.pos, dtype=np.float64).reshape(-1, 3),
        occupancy=np.array(flat.occ, dtype=np.float32),
        altloc=np.array(flat.altlocs).view(np.uint8),
        name=_words(flat.atom_names),
        residue_name=_words(flat.residue_names),
        chain=_words(flat.chain_ids),
        number=np.array(flat.resnums, dtype=np.int32),
        insertion=np.array(flat.icodes).view(np.uint8),
        serial=np.array(flat.serials, dtype=np.int32),
        hetero=np.asarray(flat.het_flags) == ord("H"),
    )
    starts = np.flatnonzero(np.diff(models)) + 1
    if not len(starts):
        return [every]
    bounds = [0, *starts.tolist(), len(models)]
    return [every.take(np.arange(*pair)) for pair in pairwise(bounds)]


def _words(characters: Any) -> NDArray[np.bytes_]:
    grid = np.array(characters)
    words: NDArray[np.bytes_] = grid.view(f"S{grid.shape[1]}").reshape(len(grid))
    return words


def _text(word: bytes) -> str:
    return bytes(word).decode("latin-1").strip()
