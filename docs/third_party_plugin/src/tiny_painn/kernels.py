"""The messages of one layer, twice: as they are defined, and with less memory."""

from __future__ import annotations

import torch
from intertwiner.kernels import dispatch
from jaxtyping import Float, Int
from torch import Tensor

__all__ = ["by_component", "edge_by_edge", "examples", "messages"]

Messages = tuple[Float[Tensor, "nodes channels"], Float[Tensor, "nodes 3 channels"]]


def messages(
    weights: Float[Tensor, "edges 3*channels"],
    directions: Float[Tensor, "edges 3"],
    vectors: Float[Tensor, "nodes 3 channels"],
    source: Int[Tensor, " edges"],
    target: Int[Tensor, " edges"],
) -> Messages:
    """s_a = sum_b w1_ab and v_a = sum_b (w2_ab v_b + w3_ab r_ab / |r_ab|).

    weights: w1, w2 and w3 side by side, every edge's own.
    Equations 7 and 8 of Schütt et al. 2021, by the best form there is on this device.
    """
    chosen = dispatch("tiny_painn_messages", weights.device, weights.dtype)
    found: Messages = chosen(weights, directions, vectors, source, target)
    return found


def edge_by_edge(
    weights: Float[Tensor, "edges 3*channels"],
    directions: Float[Tensor, "edges 3"],
    vectors: Float[Tensor, "nodes 3 channels"],
    source: Int[Tensor, " edges"],
    target: Int[Tensor, " edges"],
) -> Messages:
    """The reference: every edge's message, then their sums."""
    scalar, turned, pushed = weights.chunk(3, dim=1)
    vector = turned[:, None] * vectors[source] + pushed[:, None] * directions[..., None]
    zero = vectors.new_zeros(vectors.shape)
    return zero[:, 0].index_add(0, target, scalar), zero.index_add(0, target, vector)


def by_component(
    weights: Float[Tensor, "edges 3*channels"],
    directions: Float[Tensor, "edges 3"],
    vectors: Float[Tensor, "nodes 3 channels"],
    source: Int[Tensor, " edges"],
    target: Int[Tensor, " edges"],
) -> Messages:
    """x, y and z in turn, so that no array of edges x 3 x channels is ever made."""
    scalar, turned, pushed = weights.chunk(3, dim=1)
    zero = vectors.new_zeros(vectors.shape[0], vectors.shape[2])
    parts = [
        zero.index_add(
            0, target, torch.addcmul(pushed * directions[:, k, None], turned, vectors[source, k])
        )
        for k in range(3)
    ]
    return zero.index_add(0, target, scalar), torch.stack(parts, dim=1)


def examples(
    dtype: torch.dtype, device: torch.device, generator: torch.Generator
) -> list[tuple[Tensor, ...]]:
    """Arguments to compare the two on: a small graph with a lonely node, and no edges at all."""

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, dtype=dtype, device=device, generator=generator)

    source = torch.tensor([1, 2, 0, 2, 0, 1], device=device)
    target = torch.tensor([0, 0, 1, 1, 2, 2], device=device)
    whole = (draw(6, 12), draw(6, 3), draw(4, 3, 4), source, target)
    return [whole, (whole[0][:0], whole[1][:0], whole[2], source[:0], target[:0])]
