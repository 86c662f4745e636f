"""One round of messages and one of mixing, usable in any network."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from tiny_painn.kernels import messages

__all__ = ["Features", "MessageLayer", "MixingLayer"]

Features = tuple[Float[Tensor, "nodes channels"], Float[Tensor, "nodes 3 channels"]]
"""Scalars and vectors of every atom."""


class MessageLayer(nn.Module):
    """What an atom hears from its neighbours."""

    def __init__(self, channels: int, waves: int) -> None:
        super().__init__()
        self.speak = nn.Sequential(
            nn.Linear(channels, channels), nn.SiLU(), nn.Linear(channels, 3 * channels)
        )
        self.filter = nn.Linear(waves, 3 * channels, bias=False)

    def forward(
        self,
        features: Features,
        radial: Float[Tensor, "edges waves"],
        directions: Float[Tensor, "edges 3"],
        source: Int[Tensor, " edges"],
        target: Int[Tensor, " edges"],
    ) -> Features:
        """radial: functions of the distance that vanish at the cutoff; directions: unit vectors
        from the target to the source.
        """
        scalars, vectors = features
        weights = self.speak(scalars)[source] * self.filter(radial)
        heard, pushed = messages(weights, directions, vectors, source, target)
        return scalars + heard, vectors + pushed


class MixingLayer(nn.Module):
    """What an atom makes of it: scalars learn of the vectors by their lengths and products."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.pair = nn.Linear(channels, 2 * channels, bias=False)
        self.weigh = nn.Sequential(
            nn.Linear(2 * channels, channels), nn.SiLU(), nn.Linear(channels, 3 * channels)
        )

    def forward(self, features: Features) -> Features:
        scalars, vectors = features
        first, second = self.pair(vectors).chunk(2, dim=-1)
        # A length has no derivative at zero; this one is smooth.
        length = (second.square().sum(dim=1) + 1e-8).sqrt()
        scale, product, shift = self.weigh(torch.cat([scalars, length], dim=-1)).chunk(3, dim=-1)
        scalars = scalars + shift + product * (first * second).sum(dim=1)
        return scalars, vectors + scale[:, None] * first
