"""Positions and features brought to unit scale before the flow, and what that does to densities.

x <- x / s_x with one scale, h <- (h - shift) / s_h per feature. The determinant counts the
(M - 1) dim coordinates that positions of zero mean have: log det = -(M - 1) dim log s_x
- M sum log s_h. The published code counts M dim for positions.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

__all__ = ["ActNorm"]

FLOOR = 1e-5
"""Added to variances under the root."""


class ActNorm(nn.Module):
    """`features` scales and shifts, one scale of positions; all learned, set from data first."""

    initialised: Tensor

    def __init__(self, features: int) -> None:
        super().__init__()
        self.log_scale_x = nn.Parameter(torch.zeros(1))
        self.shift = nn.Parameter(torch.zeros(features))
        self.log_scale_h = nn.Parameter(torch.zeros(features))
        self.register_buffer("initialised", torch.zeros((), dtype=torch.bool))

    @torch.no_grad()
    def initialise(
        self,
        x: Float[Tensor, "batch n dim"],
        h: Float[Tensor, "batch n features"],
        mask: Float[Tensor, "batch n"],
    ) -> None:
        """s_x: root mean square radius; shift and s_h: mean and standard deviation of features."""
        atoms = mask.sum()
        self.log_scale_x.fill_(float((x.square().sum() / atoms + FLOOR).sqrt().log()))
        mean = h.sum(dim=(0, 1)) / atoms
        spread = ((h - mean).square() * mask.unsqueeze(-1)).sum(dim=(0, 1)) / atoms
        self.shift.copy_(mean)
        self.log_scale_h.copy_((spread + FLOOR).sqrt().log())
        self.initialised.fill_(True)

    def forward(
        self,
        x: Float[Tensor, "batch n dim"],
        h: Float[Tensor, "batch n features"],
        mask: Float[Tensor, "batch n"],
    ) -> tuple[
        Float[Tensor, "batch n dim"], Float[Tensor, "batch n features"], Float[Tensor, " batch"]
    ]:
        """Scaled x and h, and the log-determinant."""
        scaled = (h - self.shift) * (-self.log_scale_h).exp() * mask.unsqueeze(-1)
        return x * (-self.log_scale_x).exp(), scaled, self.log_determinant(mask, x.shape[-1])

    def inverse(
        self,
        x: Float[Tensor, "batch n dim"],
        h: Float[Tensor, "batch n features"],
        mask: Float[Tensor, "batch n"],
    ) -> tuple[Float[Tensor, "batch n dim"], Float[Tensor, "batch n features"]]:
        """What `forward` scaled."""
        raw = (h * self.log_scale_h.exp() + self.shift) * mask.unsqueeze(-1)
        return x * self.log_scale_x.exp(), raw

    def log_determinant(
        self, mask: Float[Tensor, "batch n"], dimension: int
    ) -> Float[Tensor, " batch"]:
        """Of `forward`, by the numbers of atoms."""
        atoms = mask.sum(dim=1)
        return -(atoms - 1) * dimension * self.log_scale_x - atoms * self.log_scale_h.sum()
