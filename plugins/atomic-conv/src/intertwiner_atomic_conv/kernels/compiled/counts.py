"""`pair_counts` in C++: no array of pairs exists at any time.

Without a compiler the plain form serves, after one warning.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from intertwiner_atomic_conv.kernels import counting
from intertwiner_atomic_conv.kernels.compiled.linear import type_name, zeros
from intertwiner_atomic_conv.kernels.compiled.loading import call, library
from intertwiner_atomic_conv.kernels.counting import Table
from intertwiner_atomic_conv.kernels.function import differentiable

__all__ = ["pair_counts"]


def pair_counts(
    pos: Float[Tensor, "atoms 3"],
    weight: Float[Tensor, " atoms"],
    side: Int[Tensor, " atoms"],
    kind: Int[Tensor, " atoms"],
    pointer: Int[Tensor, " complexes+1"],
    table: Table,
) -> Float[Tensor, "complexes features"]:
    """See `intertwiner_atomic_conv.kernels.pair_counts`."""
    loaded = library("pair_counts")
    if loaded is None:
        return counting.pair_counts(pos, weight, side, kind, pointer, table)
    atoms = side.contiguous(), kind.contiguous(), pointer.contiguous()
    kernel = _Kernel(loaded, atoms, table)
    return differentiable(kernel.forward, kernel.backward, kernel.plain, pos, weight)


@dataclass(frozen=True, slots=True)
class _Kernel:
    loaded: ctypes.CDLL
    atoms: tuple[Tensor, Tensor, Tensor]
    table: Table

    def forward(self, pos: Tensor, weight: Tensor) -> Tensor:
        out = pos.new_empty(self._complexes, self.table.features)
        given = pos.contiguous(), weight.contiguous(), *self.atoms, self._radii, out
        call(self.loaded, f"forward_{type_name(pos)}", *given, *self._sizes)
        return out

    def backward(
        self, grad: Tensor, needed: Sequence[bool], pos: Tensor, weight: Tensor
    ) -> tuple[Tensor | None, ...]:
        found = [zeros(x) if need else None for x, need in zip((pos, weight), needed, strict=True)]
        given = grad, pos.contiguous(), weight.contiguous(), *self.atoms, self._radii
        call(self.loaded, f"backward_{type_name(pos)}", *given, *found, *self._sizes)
        return tuple(found)

    def plain(self, pos: Tensor, weight: Tensor) -> Tensor:
        return counting.pair_counts(pos, weight, *self.atoms, self.table)

    @property
    def _complexes(self) -> int:
        return len(self.atoms[2]) - 1

    @property
    def _radii(self) -> Tensor:
        return torch.tensor(self.table.radii, dtype=torch.float64)

    @property
    def _sizes(self) -> tuple[float, ...]:
        table = self.table
        shape = len(table.radii), table.softness, table.rows, table.columns
        return self._complexes, *shape, torch.get_num_threads()
