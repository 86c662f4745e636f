"""The layers one after another: from x0 and h0 to x^L - x0 and h^L, with or without tangents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from intertwiner_enflow.divergence.structured import egnn_divergence
from intertwiner_enflow.dynamics.layer import EgnnLayer
from intertwiner_enflow.kernels.choice import compiled_is_allowed
from intertwiner_enflow.kernels.compiled.library import Kind, load
from intertwiner_enflow.kernels.compiled.operation import (
    Program,
    stack_tangents,
    stack_trace,
    stack_values,
)
from intertwiner_enflow.kernels.edge_block import EdgeTangents, geometry

__all__ = ["REACH", "EgnnStack", "ordered_pairs"]

REACH = 15.0
"""The bounds R of all layers add up to this."""


class EgnnStack(nn.Module):
    """`layers` layers of width `features`; R = 15 / layers where `tanh` bounds displacements.

    final_features: whether h^L is wanted; without, the last update of h is left out, and its
    parameters, which exist so that weights can be exchanged with others, are not trained.
    """

    def __init__(
        self,
        layers: int,
        features: int,
        *,
        attention: bool = True,
        tanh: bool = True,
        initial_distances: bool = True,
        final_features: bool = True,
        final_positions: bool = True,
    ) -> None:
        super().__init__()
        bound = REACH / layers if tanh else None
        made = [
            EgnnLayer(
                features, attention=attention, bound=bound, initial_distances=initial_distances
            )
            for _ in range(layers)
        ]
        self.layers = nn.ModuleList(made)
        self.features = features
        self.attention, self.bound = attention, bound
        self.initial_distances = initial_distances
        self.final_features = final_features
        if not final_features:
            made[-1].node.requires_grad_(False)
        if not final_positions:
            made[-1].coord.requires_grad_(False)

    def each(self) -> Iterator[EgnnLayer]:
        """The layers in order."""
        for layer in self.layers:
            yield cast(EgnnLayer, layer)

    def program(self, x: Float[Tensor, "batch n dim"]) -> Program | None:
        """The compiled form for tensors like x, None where there is none or torch is asked for."""
        if x.device.type != "cpu" or not compiled_is_allowed():
            return None
        kind = Kind(
            x.dtype,
            x.shape[-1],
            self.features,
            self.attention,
            self.bound is not None,
            self.initial_distances,
        )
        library = load(kind)
        if library is None:
            return None
        bound = 1.0 if self.bound is None else self.bound
        return Program(library, len(self.layers), self.features, self.final_features, bound)

    def weights(self) -> list[Tensor | None]:
        """All weights, layer after layer, in the order of the compiled program."""
        found: list[Tensor | None] = []
        for layer in self.each():
            found += layer.tensors()
        return found

    def forward(
        self,
        x: Float[Tensor, "batch n dim"],
        h: Float[Tensor, "batch *n features"],
        mask: Float[Tensor, "batch n"] | None = None,
    ) -> tuple[Float[Tensor, "batch n dim"], Float[Tensor, "batch n features"] | None]:
        """(x^L - x0, h^L), both zero on masked particles; h^L is None where it is not wanted.

        h: of every particle, or one row for all particles of a configuration.
        """
        program = self.program(x)
        if program is not None:
            return stack_values(program, x, h, mask, self.weights())
        moved, end = self.in_torch(x, _of_each(h, x), mask)
        return moved, end if self.final_features else None

    def in_torch(
        self,
        x: Float[Tensor, "batch n dim"],
        h: Float[Tensor, "batch n features"],
        mask: Float[Tensor, "batch n"] | None = None,
    ) -> tuple[Float[Tensor, "batch n dim"], Float[Tensor, "batch n features"]]:
        """The dense form, layer by layer."""
        pairs, start, e = ordered_pairs(x, mask), x, None
        for number, layer in enumerate(self.each()):
            if number == 1:
                e = geometry(start).r2
            last = number == len(self.layers) - 1 and not self.final_features
            x, h = layer(x, h, e, pairs, last=last)
            if mask is not None:
                h = h * mask.unsqueeze(-1)
        return x - start, h

    def tangents(
        self,
        x: Float[Tensor, "batch n dim"],
        dx: Float[Tensor, "directions batch n dim"],
        h: Float[Tensor, "batch *n features"],
        dh: Float[Tensor, "directions batch n features"] | None,
        mask: Float[Tensor, "batch n"] | None = None,
    ) -> tuple[Tensor, Tensor, Tensor | None, Tensor | None]:
        """(x^L - x0, its tangents, h^L, its tangents); dh only with an h of every particle."""
        program = self.program(x)
        if program is not None:
            return stack_tangents(program, x, dx, h, dh, mask, self.weights())
        return self.tangents_in_torch(x, dx, _of_each(h, x), dh, mask)

    def tangents_in_torch(
        self,
        x: Float[Tensor, "batch n dim"],
        dx: Float[Tensor, "directions batch n dim"],
        h: Float[Tensor, "batch n features"],
        dh: Float[Tensor, "directions batch n features"] | None,
        mask: Float[Tensor, "batch n"] | None = None,
    ) -> tuple[Tensor, Tensor, Tensor | None, Tensor | None]:
        """The dense form with forward tangents, layer by layer."""
        pairs, found = ordered_pairs(x, mask), geometry(x)
        ddf = dx.unsqueeze(-2) - dx.unsqueeze(-3)
        de = 2 * (found.d * ddf).sum(dim=-1, keepdim=True)
        state = EdgeTangents(x, dx, h, dh, found.r2, de)
        for number, layer in enumerate(self.each()):
            last = number == len(self.layers) - 1 and not self.final_features
            state = layer.tangents(state, pairs, last=last)
            if mask is not None and state.dh is not None:
                real = mask.unsqueeze(-1)
                state = state._replace(h=state.h * real, dh=state.dh * real)
        return state.x - x, state.dx - dx, state.h, state.dh

    def divergence(
        self, x: Float[Tensor, "batch n dim"], h: Float[Tensor, "batch features"]
    ) -> tuple[Float[Tensor, "batch n dim"], Float[Tensor, " batch"]]:
        """(x^L - x0, the trace of its Jacobian by x0) where h does not depend on x."""
        program = self.program(x)
        if program is not None:
            return stack_trace(program, x, h, self.weights())
        return egnn_divergence(self, x, _of_each(h, x))


def _of_each(h: Tensor, x: Tensor) -> Float[Tensor, "batch n features"]:
    return h.unsqueeze(-2).expand(-1, x.shape[-2], -1) if h.ndim == 2 else h


def ordered_pairs(
    x: Float[Tensor, "batch n dim"], mask: Float[Tensor, "batch n"] | None = None
) -> Float[Tensor, "#batch n n 1"]:
    """1 for ordered pairs of two different real particles, else 0."""
    count = x.shape[-2]
    different = 1 - torch.eye(count, dtype=x.dtype, device=x.device)
    if mask is None:
        return different.reshape(1, count, count, 1)
    return (different * mask.unsqueeze(-1) * mask.unsqueeze(-2)).unsqueeze(-1)
