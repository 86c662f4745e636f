"""Batch normalisation of fields: one number a field, so that it commutes with rotations."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from intertwiner_steerable3d.layers.field_type import (
    FieldType,
    check_type,
    check_volume,
    count_channels,
    field_of_channel,
    orders_of_fields,
)

__all__ = ["FieldBatchNorm", "NormKind"]

NormKind = Literal["field", "component"]


class FieldBatchNorm(nn.Module):
    """Scalars to mean 0; every field to mean squared length 1, over batch and space.

        f_v <- (f_v - mean_v) / sqrt(power_v + epsilon),   power_v = mean |f_v - mean_v|^2

    with mean_v = 0 for fields that are no scalars. No learned parameters. In evaluation the running
    averages r <- (1 - momentum) r + momentum * batch take the place of the batch's.

    kind: `field`, lengths over all components (the paper), or `component`, their mean square.
    frozen: running averages serve in training too: they are set once, by `layers.calibration`, so
    that a network computes the same in training and evaluation, for however small a batch.
    A batch without voxels, or one that is not finite, leaves the running averages as they are.
    """

    def __init__(
        self,
        fields: FieldType,
        *,
        momentum: float = 0.1,
        epsilon: float = 1e-5,
        kind: NormKind = "field",
        frozen: bool = False,
    ) -> None:
        super().__init__()
        self.fields = check_type(fields)
        self.momentum, self.epsilon, self.kind = momentum, epsilon, kind
        self.frozen, self.collecting = frozen, False
        orders = orders_of_fields(self.fields)
        self.scalars = self.fields[0]
        self.mean: Tensor
        self.power: Tensor
        self.owner: Tensor
        self.parts: Tensor
        self.register_buffer("mean", torch.zeros(self.scalars))
        self.register_buffer("power", torch.ones(len(orders)))
        self.register_buffer("owner", field_of_channel(self.fields), persistent=False)
        parts = torch.tensor([2.0 * order + 1 for order in orders])
        self.register_buffer("parts", parts, persistent=False)

    def forward(self, x: Float[Tensor, "batch c x y z"]) -> Float[Tensor, "batch c x y z"]:
        """The normalised fields."""
        check_volume(x, count_channels(self.fields), f"a norm of fields {self.fields}")
        mean, scale = self.mean_and_scale(x)
        return self.centred(x, mean) * scale[self.owner][:, None, None, None].to(x.dtype)

    def centred(self, x: Tensor, mean: Float[Tensor, " scalars"]) -> Tensor:
        """`x` with the means taken off its scalars."""
        offset = nn.functional.pad(mean, (0, x.shape[1] - len(mean)))
        return x - offset[:, None, None, None].to(x.dtype)

    def mean_and_scale(
        self, x: Float[Tensor, "batch c x y z"]
    ) -> tuple[Float[Tensor, " scalars"], Float[Tensor, " fields"]]:
        """(mean of every scalar, factor of every field); in training from this batch."""
        own = self.training and not self.frozen
        if (own or self.collecting) and x.numel() > 0:
            mean, power = self._moments(x)
            self._update(mean.detach(), power.detach())
        else:
            mean, power = self.mean, self.power
        return mean, (power + self.epsilon).rsqrt()

    def _moments(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = x.to(self.power.dtype)
        space = (0, 2, 3, 4)
        variance, mean = torch.var_mean(x[:, : self.scalars], space, correction=0)
        rest = x[:, self.scalars :]
        power = torch.cat([variance, rest.square().mean(space)])
        power = torch.zeros_like(self.power).index_add(0, self.owner, power)
        return mean, power / self.parts if self.kind == "component" else power

    @torch.no_grad()
    def _update(self, mean: Tensor, power: Tensor) -> None:
        finite = mean.isfinite().all() & power.isfinite().all()
        for running, new in ((self.mean, mean), (self.power, power)):
            running.lerp_(torch.where(finite, new, running), self.momentum)
