"""Elements as features: a one-hot class of the vocabulary, and the atomic number itself."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from intertwiner_enflow.errors import StateError

__all__ = ["Vocabulary"]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Atomic numbers that molecules are made of, in the order of their classes."""

    elements: tuple[int, ...]

    @property
    def features(self) -> int:
        """A class for each element, and the atomic number."""
        return len(self.elements) + 1

    def encode(
        self, z: Int[Tensor, "batch n"], mask: Float[Tensor, "batch n"]
    ) -> tuple[Float[Tensor, "batch n classes"], Float[Tensor, "batch n"]]:
        """One-hot classes and atomic numbers, zero where masked.

        Raises `StateError` naming the atom for an element outside the vocabulary.
        """
        match = z.unsqueeze(-1) == torch.tensor(self.elements, device=z.device)
        strange = ~match.any(dim=-1) & (mask > 0)
        if bool(strange.any()):
            row, atom = strange.nonzero()[0].tolist()
            raise StateError(
                f"sample {row}, atom {atom} has atomic number {int(z[row, atom])}; this flow "
                f"knows {', '.join(map(str, self.elements))}"
            )
        return match.to(mask.dtype) * mask.unsqueeze(-1), z.to(mask.dtype) * mask

    def decode(
        self, classes: Int[Tensor, "batch n"], mask: Float[Tensor, "batch n"]
    ) -> Int[Tensor, "batch n"]:
        """Atomic numbers of classes; 0 where masked."""
        table = torch.tensor(self.elements, device=classes.device)
        return table[classes] * mask.long()
