"""How many atoms a molecule has: the histogram of the training set."""

from __future__ import annotations

from typing import Final, Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from intertwiner_enflow.errors import StateError

__all__ = ["LARGEST", "SizePrior"]

LARGEST: Final = 1024
"""Atoms of the largest molecule that can be counted."""


class SizePrior(nn.Module):
    """p(M) by counting; a size that was never seen is an error, not a small number.

    unseen: "refuse", or "once" to count such a size as one record more, which validation and test
    parts with a size of their own need.
    """

    counts: Tensor

    def __init__(self, unseen: Literal["refuse", "once"] = "refuse") -> None:
        super().__init__()
        self.unseen = unseen
        self.register_buffer("counts", torch.zeros(LARGEST + 1, dtype=torch.int64))

    @property
    def table(self) -> Int[Tensor, "sizes 2"]:
        """The sizes that occur: rows of (size, records)."""
        values = self.counts.nonzero().squeeze(1)
        return torch.stack((values, self.counts[values]), dim=1)

    @torch.no_grad()
    def count(self, sizes: Int[Tensor, " records"]) -> None:
        """Takes the histogram of `sizes`. Raises `StateError` for one beyond `LARGEST`."""
        if int(sizes.max()) > LARGEST:
            raise StateError(f"a record has {int(sizes.max())} atoms, more than {LARGEST}")
        self.counts.copy_(sizes.cpu().bincount(minlength=LARGEST + 1))

    def log_prob(self, sizes: Int[Tensor, " batch"]) -> Float[Tensor, " batch"]:
        """log p(M) in nats. Raises `StateError` for a size without records, if so chosen."""
        self._check()
        found = self.counts[sizes.clamp(max=LARGEST)]
        if self.unseen == "once":
            found = found.clamp(min=1)
        if not bool((found > 0).all()):
            row = int((found == 0).nonzero()[0])
            known = ", ".join(map(str, self.table[:, 0].tolist()))
            raise StateError(
                f"sample {row} has {int(sizes[row])} atoms, a size without training records; "
                f"known sizes: {known}"
            )
        return found.double().log() - self.counts.sum().double().log()

    def sample(self, n: int, generator: torch.Generator | None = None) -> Int[Tensor, " n"]:
        """n sizes."""
        self._check()
        shares = self.counts.double()
        return torch.multinomial(shares, n, replacement=True, generator=generator)

    def entropy(self) -> float:
        """In nats: what the size costs a joint likelihood on average."""
        self._check()
        counts = self.table[:, 1].double()
        shares = counts / counts.sum()
        return float(-(shares * shares.log()).sum())

    def _check(self) -> None:
        if not bool(self.counts.any()):
            raise StateError("the distribution of sizes was never set: train first, or count()")
