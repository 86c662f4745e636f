"""Velocities to compare with: a graph network without equivariance, and two radial fields."""

from __future__ import annotations

from abc import abstractmethod

import torch
from jaxtyping import Float
from torch import Tensor, nn

from intertwiner_enflow.dynamics.base import Dynamics
from intertwiner_enflow.dynamics.egnn import centred
from intertwiner_enflow.dynamics.networks import linear_of
from intertwiner_enflow.dynamics.stack import ordered_pairs
from intertwiner_enflow.kernels.edge_block import geometry

__all__ = ["GraphVelocity", "KernelVelocity", "RadialVelocity", "SimpleVelocity"]


class GraphVelocity(Dynamics):
    """Messages between particles whose node features are [t, x]: no equivariance.

    m_ij = silu(edge [h_i, h_j]) with a gate where `attention`; h_i += node [h_i, sum_j m_ij].
    """

    equivariant = False

    def __init__(
        self, dimension: int, layers: int = 3, features: int = 32, *, attention: bool = True
    ) -> None:
        super().__init__(dimension)
        self.embedding = nn.Linear(1 + dimension, features)
        self.embedding_out = nn.Linear(features, dimension)
        self.layers = nn.ModuleList(_GraphLayer(features, attention) for _ in range(layers))

    def forward(
        self,
        t: Float[Tensor, " batch"],
        s: Float[Tensor, "batch n dim"],
        mask: Float[Tensor, "batch n"] | None = None,
    ) -> Float[Tensor, "batch n dim"]:
        time = t.reshape(-1, 1, 1).expand(*s.shape[:-1], 1)
        h, pairs = self.embedding(torch.cat((time, s), dim=-1)), ordered_pairs(s, mask)
        for layer in self.layers:
            h = layer(h, pairs)
        return centred(self.embedding_out(h), mask)


class _GraphLayer(nn.Module):
    def __init__(self, features: int, attention: bool) -> None:
        super().__init__()
        self.edge = nn.Sequential(
            nn.Linear(2 * features, features), nn.SiLU(), nn.Linear(features, features), nn.SiLU()
        )
        self.attention = nn.Linear(features, 1) if attention else None
        self.node = nn.Sequential(
            nn.Linear(2 * features, features), nn.SiLU(), nn.Linear(features, features)
        )

    def forward(self, h: Tensor, pairs: Tensor) -> Tensor:
        count = h.shape[-2]
        both = (
            h.unsqueeze(-2).expand(-1, -1, count, -1),
            h.unsqueeze(-3).expand(-1, count, -1, -1),
        )
        m = self.edge(torch.cat(both, dim=-1)) * pairs
        if self.attention is not None:
            m = m * self.attention(m).sigmoid()
        found: Tensor = h + self.node(torch.cat((h, m.sum(dim=-2)), dim=-1))
        return found


BASIS, SIMPLE_WIDTH = 50, 0.5
TIMES, TIME_WIDTH = 10, 0.3
FLOOR = 1e-6


class RadialVelocity(Dynamics):
    """v_i = sum_j (x_i - x_j) f(d_ij, t), with the divergence
    sum over ordered pairs of d f'(d) + D f(d)."""

    @abstractmethod
    def factor(
        self, t: Float[Tensor, " batch"], distance: Float[Tensor, "batch n n 1"]
    ) -> Float[Tensor, "batch n n 1"]:
        """f."""

    @abstractmethod
    def factor_and_slope(
        self, t: Float[Tensor, " batch"], distance: Float[Tensor, "batch n n 1"]
    ) -> tuple[Float[Tensor, "batch n n 1"], Float[Tensor, "batch n n 1"]]:
        """f and its derivative by the distance."""

    def forward(self, t: Tensor, s: Tensor, mask: Tensor | None = None) -> Tensor:
        found = geometry(s)
        moved = found.d * self.factor(t, found.n) * ordered_pairs(s, mask)
        return centred(moved.sum(dim=-2), mask)

    def divergence(self, t: Tensor, s: Tensor) -> tuple[Tensor, Tensor]:
        pairs, found = ordered_pairs(s), geometry(s)
        value, slope = self.factor_and_slope(t, found.n)
        velocity = centred((found.d * value * pairs).sum(dim=-2))
        stretch = (slope * found.r2 / found.n + self.dimension * value) * pairs
        return velocity, stretch.sum(dim=(1, 2, 3))


class SimpleVelocity(RadialVelocity):
    """v = -gradient of sum over ordered pairs of phi(basis(distance)); time does not enter.

    basis: 50 Gaussians up to `largest_distance`, normalised to sum to one; phi: 50-64-32-1, tanh.
    """

    centres: Tensor

    def __init__(self, dimension: int, largest_distance: float = 8.0) -> None:
        super().__init__(dimension)
        self.register_buffer("centres", torch.linspace(0, largest_distance, BASIS))
        self.potential = nn.Sequential(
            nn.Linear(BASIS, 64), nn.Tanh(), nn.Linear(64, 32), nn.Tanh(), nn.Linear(32, 1)
        )
        linear_of(self.potential, 4).bias.requires_grad_(False)

    def factor(self, t: Tensor, distance: Tensor) -> Tensor:
        """-2 phi'(d) / d: every pair is met in both orders."""
        return -2 * self._slope(distance.squeeze(-1)).unsqueeze(-1) / distance

    def factor_and_slope(self, t: Tensor, distance: Tensor) -> tuple[Tensor, Tensor]:
        """f'(d) by forward differentiation of its closed form."""

        def along(d: Tensor) -> Tensor:
            return self.factor(t, d)

        pair = torch.func.jvp(along, (distance,), (torch.ones_like(distance),))
        return pair[0], pair[1]

    def _slope(self, distance: Float[Tensor, "batch n n"]) -> Float[Tensor, "batch n n"]:
        """d phi / d distance in closed form, layer by layer."""
        gauss, dgauss = _gaussians(distance.unsqueeze(-1), self.centres, SIMPLE_WIDTH)
        gauss = gauss + FLOOR
        total = gauss.sum(dim=-1, keepdim=True)
        value = gauss / total
        change = (dgauss - value * dgauss.sum(dim=-1, keepdim=True)) / total
        for number in (0, 2):
            layer = linear_of(self.potential, number)
            value = layer(value).tanh()
            change = (1 - value.square()) * nn.functional.linear(change, layer.weight)
        found: Tensor = nn.functional.linear(change, linear_of(self.potential, 4).weight).squeeze(
            -1
        )
        return found


class KernelVelocity(RadialVelocity):
    """v_i = sum_j (x_i - x_j) f(d_ij, t), f = [(rbf(d) + imp^2) W + b] . rbf_t(t).

    50 Gaussians of distance and 10 of time, each set normalised, of widths that are learned.
    """

    centres: Tensor
    moments: Tensor

    def __init__(self, dimension: int, largest_distance: float = 8.0) -> None:
        super().__init__(dimension)
        self.register_buffer("centres", torch.linspace(0, largest_distance, BASIS))
        self.register_buffer("moments", torch.linspace(0, 1, TIMES))
        self.width = nn.Parameter(torch.full((BASIS,), SIMPLE_WIDTH))
        self.time_width = nn.Parameter(torch.full((TIMES,), TIME_WIDTH))
        self.weight = nn.Parameter(torch.randn(BASIS, TIMES) / BASIS**0.5)
        self.bias = nn.Parameter(torch.zeros(TIMES))
        self.importance = nn.Parameter(torch.zeros(BASIS))

    def factor(self, t: Tensor, distance: Tensor) -> Tensor:
        """See `factor_and_slope`."""
        return self.factor_and_slope(t, distance)[0]

    def factor_and_slope(self, t: Tensor, distance: Tensor) -> tuple[Tensor, Tensor]:
        """Both in closed form."""
        gauss, dgauss = _gaussians(distance, self.centres, self.width)
        total = gauss.sum(dim=-1, keepdim=True) + FLOOR
        value = gauss / total
        change = (dgauss - value * dgauss.sum(dim=-1, keepdim=True)) / total
        times, _ = _gaussians(t.reshape(-1, 1), self.moments, self.time_width)
        times = (times / (times.sum(dim=-1, keepdim=True) + FLOOR)).reshape(len(t), 1, 1, -1)
        weighted = (value + self.importance.square()) @ self.weight + self.bias
        slope = ((change @ self.weight) * times).sum(dim=-1, keepdim=True)
        return (weighted * times).sum(dim=-1, keepdim=True), slope


def _gaussians(
    value: Float[Tensor, "*shape 1"], centres: Tensor, width: Tensor | float
) -> tuple[Float[Tensor, "*shape basis"], Float[Tensor, "*shape basis"]]:
    """exp(-(value - centre)^2 / width^2) and its derivative by the value."""
    scaled = (value - centres) / width
    gauss = (-scaled.square()).exp()
    return gauss, -2 * scaled / width * gauss
