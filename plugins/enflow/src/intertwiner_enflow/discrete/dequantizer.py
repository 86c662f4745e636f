"""A distribution of lifted features for given elements: learned, or fixed.

u = mu + eps exp(log sigma) with eps standard normal; classes and whole numbers are then lifted
(see `lifting`); log q(v) = log N(eps) - sum log sigma - log det of the lifting.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from intertwiner_enflow.density.prior import log_normal
from intertwiner_enflow.discrete.lifting import lift_class, lift_integer
from intertwiner_enflow.dynamics.stack import EgnnStack

__all__ = ["Dequantizer", "FixedLifting", "Lifted", "lift"]


class Lifted(NamedTuple):
    """Features v [classes, number] and their log-density given the elements, in nats."""

    v: Float[Tensor, "batch n features"]
    log_q: Float[Tensor, " batch"]


def lift(
    one_hot: Float[Tensor, "batch n classes"],
    number: Float[Tensor, "batch n"],
    mask: Float[Tensor, "batch n"],
    noise: Float[Tensor, "batch n features"],
    mean: Float[Tensor, "batch n features"] | None = None,
    log_scale: Float[Tensor, "batch n features"] | None = None,
) -> Lifted:
    """Features lifted with the given standard normal noise (zero where masked).

    Without mean and log_scale: the fixed distribution, mu = 0 and sigma = 1.
    """
    u, spread = noise, torch.zeros_like(mask[:, 0])
    if mean is not None and log_scale is not None:
        u = mean + noise * log_scale.exp()
        spread = (log_scale.sum(dim=-1) * mask).sum(dim=-1)
    classes, change = lift_class(u[..., :-1], one_hot)
    numbers, change_number = lift_integer(u[..., -1], number)
    v = torch.cat((classes, numbers.unsqueeze(-1)), dim=-1) * mask.unsqueeze(-1)
    turned = ((change + change_number) * mask).sum(dim=-1)
    return Lifted(v, log_normal(noise, mask) - spread - turned)


@dataclass(frozen=True, slots=True)
class FixedLifting:
    """A distribution of features that is not learned: what flow matching is trained on.

    Classes: mu = margin for the atom's own and -margin for the others, sigma = spread; the number:
    mu = 0, sigma = 1. With a margin the classes lie apart, so that small errors of the flow leave
    an atom its element; without, a third of all atoms lie within 0.2 of another class.
    """

    margin: float = 0.0
    spread: float = 1.0

    def __call__(
        self,
        one_hot: Float[Tensor, "batch n classes"],
        number: Float[Tensor, "batch n"],
        mask: Float[Tensor, "batch n"],
        noise: Float[Tensor, "batch n features"],
    ) -> Lifted:
        """The features that standard normal noise (zero where masked) is turned into."""
        plain = torch.zeros_like(number).unsqueeze(-1)
        mean = torch.cat((self.margin * (2 * one_hot - 1), plain), dim=-1)
        log_scale = torch.full_like(mean, math.log(self.spread))
        log_scale[..., -1] = 0.0
        return lift(one_hot, number, mask, noise, mean, log_scale)


class Dequantizer(nn.Module):
    """The learned distribution: an equivariant network of positions and elements gives mu, sigma.

    No attention, no bound on displacements, no distances at the start, no time.
    """

    def __init__(self, features: int, layers: int = 4, width: int = 64) -> None:
        super().__init__()
        self.embedding = nn.Linear(features, width)
        self.embedding_out = nn.Linear(width, 2 * features)
        self.stack = EgnnStack(
            layers,
            width,
            attention=False,
            tanh=False,
            initial_distances=False,
            final_positions=False,
        )

    def forward(
        self,
        x: Float[Tensor, "batch n dim"],
        one_hot: Float[Tensor, "batch n classes"],
        number: Float[Tensor, "batch n"],
        mask: Float[Tensor, "batch n"],
        noise: Float[Tensor, "batch n features"],
    ) -> Lifted:
        """The features that standard normal noise (zero where masked) is turned into; x centred,
        in the data's units."""
        inputs = torch.cat((one_hot, number.unsqueeze(-1)), dim=-1)
        _, h = self.stack(x, self.embedding(inputs), mask)
        mean, log_scale = self.embedding_out(h).chunk(2, dim=-1)
        return lift(one_hot, number, mask, noise, mean, log_scale)


def masked_noise(
    like: Float[Tensor, "batch n features"],
    mask: Float[Tensor, "batch n"],
    generator: torch.Generator | None = None,
) -> Float[Tensor, "batch n features"]:
    """Standard normal, zero where masked."""
    draw = torch.randn(like.shape, generator=generator, dtype=like.dtype, device=like.device)
    return draw * mask.unsqueeze(-1)
