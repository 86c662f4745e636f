"""Nonlinearities that commute with rotations."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from intertwiner_steerable3d.layers.field_type import (
    FieldType,
    check_type,
    check_volume,
    count_channels,
    count_gates,
    sections,
)

__all__ = ["Gate", "NormNonlinearity"]


class Gate(nn.Module):
    """Scalars through a rectifier, every other field times the sigmoid of its own scalar gate.

    The input holds the fields' channels and then the gates, one for every field of order above 0,
    in the fields' order. Weiler et al. 2018, section 4.3.
    """

    def __init__(self, fields: FieldType) -> None:
        super().__init__()
        self.fields = check_type(fields)
        self.gates = count_gates(self.fields)
        self.channels = count_channels(self.fields)

    def forward(
        self, x: Float[Tensor, "batch c_and_gates x y z"]
    ) -> Float[Tensor, "batch c x y z"]:
        """The fields, gated."""
        check_volume(x, self.channels + self.gates, f"a gate of fields {self.fields}")
        opening = x[:, self.channels :].sigmoid()
        parts, first = [], 0
        for order, count, channels in sections(self.fields):
            if order == 0:
                parts.append(x[:, channels].relu())
            else:
                own = opening[:, first : first + count, None]
                parts.append((x[:, channels].unflatten(1, (count, -1)) * own).flatten(1, 2))
                first += count
        return torch.cat(parts, 1) if len(parts) > 1 else parts[0]


class NormNonlinearity(nn.Module):
    """f / |f| softplus(|f| - b) for every field, with a learned b that starts in (0.5, 2).

    A field of length zero stays zero and passes no gradient.
    """

    def __init__(self, fields: FieldType, *, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.fields = check_type(fields)
        start = torch.rand(sum(self.fields), generator=generator)
        self.bias = nn.Parameter(0.5 + 1.5 * start)

    def forward(self, x: Float[Tensor, "batch c x y z"]) -> Float[Tensor, "batch c x y z"]:
        """The fields with other lengths and the same directions."""
        check_volume(x, count_channels(self.fields), f"a nonlinearity of fields {self.fields}")
        parts, first = [], 0
        for _, count, channels in sections(self.fields):
            f = x[:, channels].unflatten(1, (count, -1))
            square = f.square().sum(2, keepdim=True)
            length = torch.where(square > 0, square, 1.0).sqrt()
            bias = self.bias[first : first + count, None, None, None, None]
            factor = torch.where(square > 0, nn.functional.softplus(length - bias) / length, 0.0)
            parts.append((f * factor).flatten(1, 2))
            first += count
        return torch.cat(parts, 1)
