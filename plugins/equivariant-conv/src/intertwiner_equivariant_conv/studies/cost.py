"""What a prediction of the paper's network costs, by formula."""

from __future__ import annotations

from collections.abc import Sequence

from intertwiner_equivariant_conv.paper.config import PaperConfig
from intertwiner_equivariant_conv.paper.convolution import transforms
from intertwiner_equivariant_conv.paper.coupling import filters
from intertwiner_equivariant_conv.paper.presets import gated

__all__ = ["multiply_adds"]

Ends = tuple[Sequence[int], Sequence[int]]
"""Multiplicities a convolution takes and gives."""


def multiply_adds(config: PaperConfig, atoms: float, targets: int = 1, elements: int = 5) -> float:
    """Multiply-adds of the matrix products in one forward pass for a molecule of so many atoms.

    Of every convolution its radial network over n^2/2 pairs, its large products as the docstring
    of `intertwiner_equivariant_conv.paper.convolution` counts them, and its contraction with the
    harmonics, whose coefficients are made once for every two orders.
    """
    blocks, hidden = config.multiplicities, config.radial_hidden
    first: Ends = ((config.embed,), gated(blocks))
    inner: list[Ends] = [(blocks, gated(blocks)) for _ in range(config.layers - 1)]
    inner.append((blocks, (targets,)))
    pairs = 0.5 * atoms * (atoms - 1)
    radial = hidden * (config.radial_basis + (config.radial_layers - 1) * hidden)
    total = (config.layers + 1) * pairs * radial
    total += _first(*first, hidden, atoms, elements)
    total += sum(_products(*ends, hidden, atoms) for ends in inner)
    return total + 2.0 * pairs * _coefficients([first, *inner])


def _products(inputs: Sequence[int], outputs: Sequence[int], hidden: int, atoms: float) -> float:
    """Of a convolution after the first, each pair of orders in the cheaper of the two ways."""
    total = 0.0
    for lo, mo in enumerate(outputs):
        for li, mi in enumerate(inputs):
            turned = transforms(lo, li, mo, mi)
            order, moved = (li, mo) if turned else (lo, mi)
            total += hidden * len(filters(lo, li)) * (2 * order + 1) * (mo * mi + atoms * moved)
            if turned or li:
                total += (atoms - 1) * _coupled(lo, li) * moved
    return atoms * total


def _first(
    inputs: Sequence[int], outputs: Sequence[int], hidden: int, atoms: float, elements: int
) -> float:
    """Sums over elements in place of features: weights times embeddings, then small products."""
    total = 0.0
    for lo, mo in enumerate(outputs):
        total += elements * inputs[0] * mo * hidden
        total += atoms * hidden * (2 * lo + 1) * elements * (mo + atoms)
    return total


def _coefficients(layers: Sequence[Ends]) -> float:
    """Of a pair of atoms: harmonics times constants, once for all layers with the same orders."""
    kinds = {
        (lo, li, bool(layer) and transforms(lo, li, mo, mi))
        for layer, (inputs, outputs) in enumerate(layers)
        for lo, mo in enumerate(outputs)
        for li, mi in enumerate(inputs)
    }
    return sum((2 * lo + 1) * (2 * li + 1) * _coupled(lo, li) for lo, li, _ in kinds)


def _coupled(lo: int, li: int) -> float:
    """How many coefficients couple two orders through all filters."""
    return float(len(filters(lo, li)) * (2 * lo + 1) * (2 * li + 1))
