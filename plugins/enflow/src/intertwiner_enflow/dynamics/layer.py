"""One layer of the equivariant graph network of Satorras, Hoogeboom and Welling (2021).

For all ordered pairs i != j, with h, x of the layer before and e_ij = |x_i - x_j|^2 at the state,

    d = x_i - x_j,  r2 = d.d,  n = sqrt(r2 + 1e-8),  u = d / (n + 1)
    z1 = Ws h_i + Wt h_j + wr r2 + we e_ij + b1
    a2 = silu(W2 silu(z1) + b2),  g = sigmoid(wa.a2 + ba),  m = g a2
    c = R tanh(wc.silu(C1 m + c1))
    x_i += sum_j u_ij c_ij,   h_i += N2 silu(N1 [h_i, sum_j m_ij] + n1) + n2.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from intertwiner_enflow.dynamics.networks import linear_of
from intertwiner_enflow.kernels.choice import pair_terms
from intertwiner_enflow.kernels.edge_block import (
    EdgeTangents,
    EdgeWeights,
    edge_block_tangents,
    silu_and_slope,
)
from intertwiner_enflow.kernels.examples import edge_block_dense

__all__ = ["EgnnLayer"]


class EgnnLayer(nn.Module):
    """Parameters of one layer, the layer's values, and its values with tangents.

    features: width F of node states and messages.
    attention: the gate g; without it g = 1.
    bound: R, the largest coefficient c of a pair; None leaves c = wc.silu(y) unbounded.
    initial_distances: whether messages see e_ij.
    """

    def __init__(
        self,
        features: int,
        *,
        attention: bool = True,
        bound: float | None = None,
        initial_distances: bool = True,
    ) -> None:
        super().__init__()
        self.features = features
        self.bound = bound
        self.initial_distances = initial_distances
        scalars = 2 if initial_distances else 1
        self.edge = nn.Sequential(
            nn.Linear(2 * features + scalars, features),
            nn.SiLU(),
            nn.Linear(features, features),
            nn.SiLU(),
        )
        self.attention = nn.Linear(features, 1) if attention else None
        self.node = nn.Sequential(
            nn.Linear(2 * features, features), nn.SiLU(), nn.Linear(features, features)
        )
        self.coord = nn.Sequential(
            nn.Linear(features, features), nn.SiLU(), nn.Linear(features, 1, bias=False)
        )
        nn.init.xavier_uniform_(linear_of(self.coord, 2).weight, gain=1e-3)

    def weights(self) -> EdgeWeights:
        """The weights of the pair terms, split by what they multiply."""
        width, first = self.features, linear_of(self.edge, 0).weight
        return EdgeWeights(
            source=first[:, :width],
            target=first[:, width : 2 * width],
            distance=first[:, 2 * width],
            initial=first[:, 2 * width + 1] if self.initial_distances else None,
            bias=linear_of(self.edge, 0).bias,
            second=linear_of(self.edge, 2).weight,
            second_bias=linear_of(self.edge, 2).bias,
            attention=None if self.attention is None else self.attention.weight,
            attention_bias=None if self.attention is None else self.attention.bias,
            coord=linear_of(self.coord, 0).weight,
            coord_bias=linear_of(self.coord, 0).bias,
            coord_out=linear_of(self.coord, 2).weight,
            bound=self.bound,
        )

    def tensors(self) -> list[Tensor | None]:
        """All weights, in the order of the compiled program."""
        edge, gate = self.edge, self.attention
        linear = [linear_of(part, k) for part in (edge, self.node, self.coord) for k in (0, 2)]
        first, second, node, node2, coord, out = linear
        return [
            first.weight,
            first.bias,
            second.weight,
            second.bias,
            None if gate is None else gate.weight,
            None if gate is None else gate.bias,
            node.weight,
            node.bias,
            node2.weight,
            node2.bias,
            coord.weight,
            coord.bias,
            out.weight,
        ]

    def forward(
        self,
        x: Float[Tensor, "batch n dim"],
        h: Float[Tensor, "batch n features"],
        e: Float[Tensor, "batch n n 1"],
        pairs: Float[Tensor, "#batch n n 1"],
        *,
        last: bool = False,
    ) -> tuple[Float[Tensor, "batch n dim"], Float[Tensor, "batch n features"]]:
        """The next x and h. pairs: 1 for the ordered pairs that count. last: h is not wanted."""
        terms = pair_terms("edge_block", x, edge_block_dense)
        moved, gathered = terms(x, h, e, pairs, *self.weights())
        if last:
            return x + moved, h
        return x + moved, h + self.node(torch.cat((h, gathered), dim=-1))

    def tangents(
        self,
        state: EdgeTangents,
        pairs: Float[Tensor, "#batch n n 1"],
        *,
        last: bool = False,
    ) -> EdgeTangents:
        """The next x and h with their tangents."""
        moved, gathered, dmoved, dgathered = edge_block_tangents(state, pairs, self.weights())
        x, dx = state.x + moved, state.dx + dmoved
        if last:
            return state._replace(x=x, dx=dx)
        first, second = linear_of(self.node, 0), linear_of(self.node, 2)
        width = self.features
        inner = first(torch.cat((state.h, gathered), dim=-1))
        active, slope = silu_and_slope(inner)
        change = slope * _linear(first.weight[:, width:], dgathered)
        if state.dh is not None:
            change = change + slope * _linear(first.weight[:, :width], state.dh)
        dh = _linear(second.weight, change)
        dh = dh if state.dh is None else state.dh + dh
        return state._replace(x=x, dx=dx, h=state.h + second(active), dh=dh)


def _linear(weight: Tensor, values: Tensor) -> Tensor:
    return nn.functional.linear(values, weight)
