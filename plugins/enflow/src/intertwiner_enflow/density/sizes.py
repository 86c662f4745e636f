"""How many atoms a molecule has: the histogram of the training set."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from intertwiner_enflow.errors import StateError

__all__ = ["SizePrior"]


class SizePrior(nn.Module):
    """p(M) by counting; a size that was never seen is an error, not a small number."""

    table: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("table", torch.zeros(0, 2, dtype=torch.int64))

    def count(self, sizes: Int[Tensor, " records"]) -> None:
        """Takes the histogram of `sizes`: rows of (size, records)."""
        values, counts = sizes.unique(return_counts=True)
        self.table = torch.stack((values, counts), dim=1)

    def log_prob(self, sizes: Int[Tensor, " batch"]) -> Float[Tensor, " batch"]:
        """log p(M) in nats. Raises `StateError` for a size without records."""
        self._check()
        match = sizes.unsqueeze(1) == self.table[:, 0]
        if not bool(match.any(dim=1).all()):
            row = int((~match.any(dim=1)).nonzero()[0])
            known = ", ".join(map(str, self.table[:, 0].tolist()))
            raise StateError(
                f"sample {row} has {int(sizes[row])} atoms, a size without training records; "
                f"known sizes: {known}"
            )
        shares = self.table[:, 1].double().log() - self.table[:, 1].double().sum().log()
        return shares[match.int().argmax(dim=1)]

    def sample(self, n: int, generator: torch.Generator | None = None) -> Int[Tensor, " n"]:
        """n sizes."""
        self._check()
        shares = self.table[:, 1].double()
        drawn = torch.multinomial(shares, n, replacement=True, generator=generator)
        return self.table[drawn, 0]

    def entropy(self) -> float:
        """In nats: what the size costs a joint likelihood on average."""
        self._check()
        shares = self.table[:, 1].double() / self.table[:, 1].sum()
        return float(-(shares * shares.log()).sum())

    def _check(self) -> None:
        if len(self.table) == 0:
            raise StateError("the distribution of sizes was never set: train first, or count()")

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *rest: Any) -> None:
        """The table has as many rows as there were sizes."""
        stored = state_dict.get(f"{prefix}table")
        if stored is not None:
            self.table = torch.zeros_like(stored)
        super()._load_from_state_dict(state_dict, prefix, *rest)
