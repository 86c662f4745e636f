"""Configurations as records, made when they are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

import torch
from jaxtyping import Float
from torch import Tensor
from torch_geometric.data import Data

from intertwiner_enflow.targets import Target
from intertwiner_enflow.targets.base import centred

__all__ = ["Frames"]


class Frames(Sequence[Data]):
    """Records of the ATOMS structure: `pos` `[N, D]` centred, `z` all 0, `energy` `[1]` in kT,
    and `target`, the name of what they follow.

    x: `[frames, N, D]`, centred here. name: stem of the records' names.
    """

    def __init__(
        self, target: Target, x: Float[Tensor, "frames particles dim"], name: str = ""
    ) -> None:
        self.x = centred(x.float())
        self.energy = target.energy(self.x.double()).float()
        self.name = name or target.name
        self.target = target.name
        self._labels = torch.zeros(target.particles, dtype=torch.int64)

    def __len__(self) -> int:
        return len(self.x)

    @overload
    def __getitem__(self, index: int) -> Data: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Data]: ...
    def __getitem__(self, index: int | slice) -> Data | Sequence[Data]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        return Data(
            pos=self.x[index],
            z=self._labels,
            energy=self.energy[index : index + 1] if index >= 0 else self.energy[[index]],
            name=f"{self.name}-{index % len(self)}",
            target=self.target,
            num_nodes=self.x.shape[1],
        )
