"""Dropout of whole fields."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from intertwiner_steerable3d.errors import InvalidSetting
from intertwiner_steerable3d.layers.field_type import (
    FieldType,
    check_type,
    check_volume,
    count_channels,
    field_of_channel,
)

__all__ = ["FieldDropout"]


class FieldDropout(nn.Module):
    """Every field of every sample is zero with probability `rate`, else divided by 1 - rate.

    All components and voxels of a field share their fate. The identity in evaluation.
    Raises `InvalidSetting` for a rate outside [0, 1).
    """

    def __init__(
        self, fields: FieldType, rate: float, *, generator: torch.Generator | None = None
    ) -> None:
        super().__init__()
        if not 0 <= rate < 1:
            raise InvalidSetting(f"dropout of {rate}: use 0 or more and less than 1")
        self.fields, self.rate, self.generator = check_type(fields), rate, generator
        self.owner: Tensor
        self.register_buffer("owner", field_of_channel(self.fields), persistent=False)

    def forward(self, x: Float[Tensor, "batch c x y z"]) -> Float[Tensor, "batch c x y z"]:
        """The fields that are kept."""
        check_volume(x, count_channels(self.fields), f"a dropout of fields {self.fields}")
        if not self.training or self.rate == 0:
            return x
        drawn = torch.rand(
            len(x), sum(self.fields), generator=self.generator, device=x.device, dtype=x.dtype
        )
        kept = (drawn >= self.rate).to(x.dtype) / (1 - self.rate)
        return x * kept[:, self.owner, None, None, None]
