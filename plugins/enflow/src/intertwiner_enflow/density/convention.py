"""What a flow's samples follow: the target with its pair convention, and the prior's normaliser."""

from __future__ import annotations

from typing import Any, Final

import torch
from torch import Tensor, nn

from intertwiner_enflow.errors import StateError

__all__ = ["Convention", "check_convention", "convention_of"]

LONGEST: Final = 96
"""Bytes of the longest text that is kept."""


def convention_of(target: str) -> str:
    """The text for a target by its name, such as "lj13-half", and log p as everywhere here."""
    return f"{target}, normalised prior"


class Convention(nn.Module):
    """The convention of the training data, kept with the weights; "" until it is known.

    A buffer, so that a checkpoint carries it.
    """

    text: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("text", torch.zeros(LONGEST, dtype=torch.uint8))

    def __str__(self) -> str:
        return bytes(self.text.tolist()).rstrip(b"\0").decode()

    @torch.no_grad()
    def remember(self, text: str) -> None:
        """Keeps `text`. Raises `StateError` for one that is too long."""
        stored = text.encode()
        if len(stored) > LONGEST:
            raise StateError(f"convention {text!r}: {len(stored)} bytes, more than {LONGEST}")
        self.text.copy_(torch.tensor([*stored.ljust(LONGEST, b"\0")], dtype=torch.uint8))

    def remember_targets(self, names: set[str]) -> None:
        """Of training records, by the names of their targets; none leaves it unknown.

        Raises `StateError` when they follow more than one.
        """
        if len(names) > 1:
            raise StateError(f"training records of several targets: {', '.join(sorted(names))}")
        for name in names:
            self.remember(convention_of(name))


def check_convention(flow: Any, target: str) -> None:
    """Raises `StateError` when `flow.convention` is known and is not that of the target `target`.

    An analytic density has none.
    """
    known, asked = str(getattr(flow, "convention", "")), convention_of(target)
    if known and known != asked:
        raise StateError(
            f"this flow was trained on samples of: {known}; it is compared with: {asked}; take "
            "the target and the pair convention that it was trained on, or train another"
        )
