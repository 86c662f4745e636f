"""Layers of a sequence by their number, with the type they have."""

from __future__ import annotations

from typing import cast

from torch import nn

__all__ = ["linear_of"]


def linear_of(sequence: nn.Sequential, number: int) -> nn.Linear:
    """The linear map at `number`."""
    return cast(nn.Linear, sequence[number])
