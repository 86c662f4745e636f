"""The last radial layer in the order in which the published code holds it.

For every output block (orders rising, then the gates as a block of their own), for every input
block: [m_out, m_in, filters], the filter fastest. One row for each, [paths, hidden].
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from intertwiner_equivariant_conv.errors import InvalidInput
from intertwiner_equivariant_conv.paper.convolution import PaperConvolution

__all__ = ["from_published", "to_published"]


def to_published(convolution: PaperConvolution, gates: int = 0) -> Float[Tensor, "paths hidden"]:
    """A copy. gates: how many of the scalars that go out are gates."""
    blocks = [block.reshape(-1, block.shape[-1]) for block in _blocks(convolution, gates)]
    return torch.cat(blocks).detach()


@torch.no_grad()
def from_published(
    convolution: PaperConvolution, weights: Float[Tensor, "paths hidden"], gates: int = 0
) -> None:
    """Sets the weights. Raises `InvalidInput` for another number of paths or width."""
    blocks = list(_blocks(convolution, gates))
    counts = [block.shape[:3].numel() for block in blocks]
    expected = (sum(counts), blocks[0].shape[3])
    if weights.shape != expected:
        raise InvalidInput(f"weights {list(weights.shape)}: expected {list(expected)}")
    for block, rows in zip(blocks, weights.split(counts), strict=True):
        block.copy_(rows.view(block.shape))


def _blocks(convolution: PaperConvolution, gates: int) -> Iterator[Tensor]:
    """Views of the weights, [m_out, m_in, filters, hidden]."""
    scalars = slice(0, convolution.outputs[0] - gates)
    orders = range(len(convolution.outputs))
    blocks = [(order, slice(None) if order else scalars) for order in orders]
    if gates:
        blocks.append((0, slice(scalars.stop, None)))
    for lo, rows in blocks:
        for li in range(len(convolution.inputs)):
            weight = convolution.weights[f"{lo}-{li}"]
            turned = convolution.transformed(lo, li)
            yield weight.permute(2, 0, 1, 3)[rows] if turned else weight.transpose(1, 2)[rows]
