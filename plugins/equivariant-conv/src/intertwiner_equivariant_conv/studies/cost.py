"""What a prediction of the paper's network costs, by formula."""

from __future__ import annotations

from collections.abc import Sequence

from intertwiner_equivariant_conv.paper.config import PaperConfig
from intertwiner_equivariant_conv.paper.convolution import transforms
from intertwiner_equivariant_conv.paper.coupling import filters
from intertwiner_equivariant_conv.paper.presets import gated

__all__ = ["multiply_adds"]


def multiply_adds(config: PaperConfig, atoms: float, targets: int = 1, elements: int = 5) -> float:
    """Multiply-adds of one forward pass for a molecule of so many atoms.

    Of every convolution its radial network over n^2/2 pairs and its matrix products, as the
    docstring of `intertwiner_equivariant_conv.paper.convolution` counts them; coupling, gates and
    harmonics, which have no width of the radial network in them, are left out.
    """
    blocks, hidden = config.multiplicities, config.radial_hidden
    pairs = 0.5 * atoms * (atoms - 1)
    network = hidden * (config.radial_basis + (config.radial_layers - 1) * hidden)
    inner = _products(blocks, gated(blocks), hidden, atoms)
    total = _first(config.embed, gated(blocks), hidden, atoms, elements)
    total += (config.layers - 1) * inner + _products(blocks, (targets,), hidden, atoms)
    return total + (config.layers + 1) * pairs * network


def _products(inputs: Sequence[int], outputs: Sequence[int], hidden: int, atoms: float) -> float:
    total = 0.0
    for lo, mo in enumerate(outputs):
        for li, mi in enumerate(inputs):
            order, moved = (li, mo) if transforms(lo, li, mo, mi) else (lo, mi)
            total += len(filters(lo, li)) * (2 * order + 1) * (mo * mi + atoms * moved)
    return atoms * hidden * total


def _first(embed: int, outputs: Sequence[int], hidden: int, atoms: float, elements: int) -> float:
    """The first layer sums over elements: weights times embeddings, once, then small products."""
    total = 0.0
    for lo, mo in enumerate(outputs):
        total += elements * embed * mo * hidden
        total += atoms * hidden * (2 * lo + 1) * elements * (mo + atoms)
    return total
