"""All ordered pairs of the atoms of each molecule, as a table with one row an atom.

An atom of the smaller molecules has fewer partners than the table has slots; the others are
filled with the atom itself, harmonics 0. Molecules are dealt to tiles of similar size, so few are.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from intertwiner_equivariant_conv.errors import InvalidInput
from intertwiner_equivariant_conv.layers.atoms import CLOSE, CloseAtoms
from intertwiner_equivariant_conv.layers.spherical_harmonics import spherical_harmonics
from intertwiner_equivariant_conv.paper.coupling import couple

__all__ = ["Geometry", "Table", "measure", "tiles"]


@dataclass(frozen=True, slots=True)
class Table:
    """The partners of every atom of some molecules, all of whose atoms follow each other.

    partner: atom b in slot w of atom a. back: the number of the slot of b that holds a.
    pair: the number of the unordered pair {a, b}; the number of pairs in an empty slot.
    backward: a > b. low, high: the atoms of every unordered pair, low < high.
    """

    partner: Int[Tensor, "atoms slots"]
    back: Int[Tensor, "atoms slots"]
    pair: Int[Tensor, "atoms slots"]
    backward: Bool[Tensor, "atoms slots"]
    low: Int[Tensor, " pairs"]
    high: Int[Tensor, " pairs"]

    @classmethod
    def of(cls, sizes: Sequence[int], device: torch.device) -> Table:
        """For molecules of `sizes` atoms."""
        counts = torch.tensor(sizes, device=device, dtype=torch.long)
        slots = max(1, max(sizes, default=1) - 1)
        start = (counts.cumsum(0) - counts).repeat_interleave(counts).unsqueeze(1)
        size = counts.repeat_interleave(counts).unsqueeze(1)
        own = torch.arange(len(size), device=device).unsqueeze(1)
        here, slot = own - start, torch.arange(slots, device=device)
        there = slot + (slot >= here)
        real = slot < size - 1
        first = counts * (counts - 1) // 2
        offset = (first.cumsum(0) - first).repeat_interleave(counts).unsqueeze(1)
        low, high = torch.minimum(here, there), torch.maximum(here, there)
        number = offset + low * size - low * (low + 1) // 2 + high - low - 1
        partner = torch.where(real, start + there, own)
        back = torch.where(real, here - (here > there).long(), slot)
        ahead = real & (there > here)
        return cls(
            partner,
            partner * slots + back,
            torch.where(real, number, first.sum()),
            there < here,
            own.expand(-1, slots)[ahead],
            partner[ahead],
        )


@dataclass(frozen=True, slots=True)
class Geometry:
    """What the convolutions need to know of the positions in a tile.

    distance: of the unordered pairs, in angstrom, then 1 (for empty slots) and 0 (for the pair of
    an atom with itself). harmonics: 'component', of x_b - x_a, 0 in empty slots.
    """

    table: Table
    distance: Float[Tensor, " pairs+2"]
    harmonics: Float[Tensor, "atoms slots rows"]
    _coupled: dict[tuple[int, int, bool], Tensor] = field(default_factory=dict)

    def coupling(self, lo: int, li: int, *, transform: bool) -> Tensor:
        """`couple` of the harmonics, computed once for all layers."""
        key = lo, li, transform
        if key not in self._coupled:
            self._coupled[key] = couple(self.harmonics, lo, li, transform=transform)
        return self._coupled[key]


def measure(pos: Float[Tensor, "atoms 3"], table: Table, lmax: int) -> Geometry:
    """Distances and harmonics up to `lmax`. Raises `InvalidInput` for two atoms in one place."""
    vector = pos.index_select(0, table.high) - pos.index_select(0, table.low)
    square = vector.square().sum(1)
    _check_apart(square.detach(), table)
    distance = square.sqrt()
    ahead = spherical_harmonics(vector / distance.unsqueeze(1), lmax)
    rows = torch.cat([ahead, ahead * _parity(lmax, pos.dtype, pos.device)])
    rows = torch.cat([rows, rows.new_zeros(1, rows.shape[1])])
    number = table.pair + len(distance) * (table.backward | (table.pair == len(distance))).long()
    harmonics = rows.index_select(0, number.flatten()).view(*number.shape, -1)
    return Geometry(table, torch.cat([distance, distance.new_tensor([1.0, 0.0])]), harmonics)


@functools.cache
def _parity(lmax: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    signs = [(-1.0) ** order for order in range(lmax + 1) for _ in range(2 * order + 1)]
    return torch.tensor(signs, dtype=dtype, device=device)


def _check_apart(square: Float[Tensor, " pairs"], table: Table) -> None:
    if not len(square) or not bool((least := square.min()) < CLOSE**2):
        return
    nearest = int(square.argmin())
    atoms = f"{int(table.low[nearest])} and {int(table.high[nearest])}"
    if float(least) < 1e-12:
        raise InvalidInput(f"atoms {atoms} are in one place")
    text = f"atoms {atoms} are {float(least) ** 0.5:.3g} angstrom apart"
    warnings.warn(f"{text}: is the unit of the positions right?", CloseAtoms, stacklevel=2)


def tiles(sizes: Sequence[int], most_atoms: int) -> Iterator[list[int]]:
    """Molecules with atoms, the smallest first: lists of so many atoms at most, or of one."""
    chosen: list[int] = []
    atoms = 0
    occupied = (molecule for molecule, size in enumerate(sizes) if size)
    for molecule in sorted(occupied, key=sizes.__getitem__):
        if chosen and atoms + sizes[molecule] > most_atoms:
            yield chosen
            chosen, atoms = [], 0
        chosen.append(molecule)
        atoms += sizes[molecule]
    if chosen:
        yield chosen
