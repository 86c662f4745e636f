"""The energy difference in the naive order: every atom of the complex, and of every part alone.

The oracle of the interface: lists by sorting all distances, all features, all atoms,
dG = G(complex) - sum over parts of G(part). Slow, and inexact where parts are far apart, because
it subtracts large sums.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from jaxtyping import Float, Int
from torch import Tensor

from intertwiner_atomic_conv.graphs.interface import Reach
from intertwiner_atomic_conv.layers.convolution import AtomicConvolution
from intertwiner_atomic_conv.layers.radial import evaluate_filters

__all__ = ["naive_energy", "neighbor_mask", "system_energy"]


def naive_energy(
    convolution: AtomicConvolution,
    pos: Float[Tensor, "atoms 3"],
    z: Int[Tensor, " atoms"],
    bucket: Int[Tensor, " atoms"],
    part: Int[Tensor, " atoms"],
    reach: Reach,
) -> Float[Tensor, " outputs"]:
    """dG of one complex. pos in angstrom; bucket -1 for atoms that have no energy."""
    total = pos.new_zeros(convolution.networks.outputs)
    for sign, atoms in _systems(part):
        own = part[atoms]
        total = total + sign * system_energy(
            convolution, pos[atoms], z[atoms], bucket[atoms], own, reach
        )
    return total


def _systems(part: Tensor) -> Iterator[tuple[float, Tensor]]:
    yield 1.0, torch.arange(len(part), device=part.device)
    for label in part.unique():
        yield -1.0, torch.nonzero(part == label).squeeze(1)


def system_energy(
    convolution: AtomicConvolution,
    pos: Float[Tensor, "atoms 3"],
    z: Int[Tensor, " atoms"],
    bucket: Int[Tensor, " atoms"],
    part: Int[Tensor, " atoms"],
    reach: Reach,
) -> Float[Tensor, " outputs"]:
    """G of one system: the sum of the energies of its atoms, all lists taken within it."""
    features = _features(convolution, pos, z, bucket, part, reach) * convolution.scale
    networks = convolution.networks
    group = bucket if len(networks.weights[0]) > 1 else bucket.clamp(max=0)
    order = torch.argsort(group, stable=True)
    order = order[group[order] >= 0]
    labels, counts = group[order].unique_consecutive(return_counts=True)
    stops = counts.cumsum(0).tolist()
    slices = list(zip(labels.tolist(), [0, *stops], stops, strict=False))
    return networks(features[order], slices).sum(0)


def _features(
    convolution: AtomicConvolution,
    pos: Tensor,
    z: Tensor,
    bucket: Tensor,
    part: Tensor,
    reach: Reach,
) -> Float[Tensor, "atoms buckets*filters"]:
    seen = neighbor_mask(pos.detach().double(), z, part, reach)
    seen = seen & (bucket >= 0)
    same = part[:, None] == part[None]
    features = pos.new_zeros(len(pos), convolution.buckets, len(convolution.filters))
    for chosen, limit in ((same, convolution.limits[0]), (~same, convolution.limits[1])):
        center, neighbor = torch.nonzero(seen & chosen, as_tuple=True)
        distance = torch.linalg.vector_norm(pos[neighbor] - pos[center], dim=1)
        filters = evaluate_filters(distance, *convolution.filters.values(limit))
        index = center, bucket[neighbor]
        features = features.index_put(index, filters, accumulate=True)
    return features.flatten(1)


def neighbor_mask(
    pos: Float[Tensor, "atoms 3"],
    z: Int[Tensor, " atoms"],
    part: Int[Tensor, " atoms"],
    reach: Reach,
) -> Float[Tensor, "atoms atoms"]:
    """Whether atom j is in the list of atom i, by sorting all distances; pos in float64."""
    square = (pos[:, None] - pos[None]).square().sum(-1)
    same = part[:, None] == part[None]
    other = ~torch.eye(len(pos), dtype=torch.bool, device=pos.device)
    across = square < reach.across**2
    if reach.graph == "cross":
        return across & ~same
    if reach.graph == "cutoff":
        return other & torch.where(same, square < reach.within**2, across)
    square = square.masked_fill(~(other & across), torch.inf)
    order = torch.argsort(z, stable=True)  # by atomic number, then index
    ranked = torch.argsort(square[:, order], dim=1, stable=True)[:, : reach.neighbors]
    chosen = torch.zeros_like(other).scatter(1, order[ranked], True)
    return chosen & square.isfinite()
