"""The oracle: the definition of the operation, path by path, in plain torch."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

from intertwiner_equivariant_conv.layers.coupling import wigner_3j
from intertwiner_equivariant_conv.layers.paths import infer_paths

__all__ = ["examples", "tensor_product_scatter", "workload"]


def tensor_product_scatter(
    features: Float[Tensor, "nodes rows_in channels"],
    harmonics: Float[Tensor, "edges rows_edge"],
    weights: Float[Tensor, "edges paths*channels"],
    source: Int[Tensor, " edges"],
    target: Int[Tensor, " edges"],
    nodes: int,
) -> Float[Tensor, "nodes rows_out channels"]:
    """See `intertwiner_equivariant_conv.kernels.tensor_product_scatter`."""
    channels = features.shape[2]
    table = infer_paths(features.shape[1], harmonics.shape[1], channels, weights.shape[1])
    gathered = features[source]
    weighed = weights.view(len(source), len(table), 1, channels)
    out = features.new_zeros(nodes, table.rows_out, channels)
    for number, path in enumerate(table.paths):
        coupled = torch.einsum(
            "ijk,eic,ej->ekc",
            math.sqrt(2 * path.l3 + 1) * wigner_3j(path.l1, path.l2, path.l3).to(features),
            gathered[:, path.l1**2 : (path.l1 + 1) ** 2],
            harmonics[:, path.l2**2 : (path.l2 + 1) ** 2],
        )
        out[:, path.rows] = out[:, path.rows].index_add(0, target, coupled * weighed[:, number])
    return out


def examples(
    dtype: torch.dtype, device: torch.device, generator: torch.Generator
) -> list[tuple[Tensor, Tensor, Tensor, Tensor, Tensor, int]]:
    """Arguments to verify and time kernels with: orders 0 to 2, and a graph without edges."""
    return [
        _example(*sizes, dtype, device, generator)
        for sizes in ((0, 16, 30, 300), (1, 32, 40, 400), (2, 17, 12, 100), (1, 4, 3, 0))
    ]


def workload(
    dtype: torch.dtype, device: torch.device, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, int]:
    """The size of a training step: 32 molecules of 19 atoms and 15 neighbours, 32 channels."""
    return _example(2, 32, 600, 9_000, dtype, device, generator)


def _example(
    lmax: int,
    channels: int,
    nodes: int,
    edges: int,
    dtype: torch.dtype,
    device: torch.device,
    generator: torch.Generator,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, int]:
    from intertwiner_equivariant_conv.layers.paths import path_table
    from intertwiner_equivariant_conv.layers.spherical_harmonics import spherical_harmonics

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, dtype=dtype, device=generator.device)

    ends = torch.randint(0, nodes, (2, edges), generator=generator, device=generator.device)
    target = ends[1].sort().values
    harmonics = spherical_harmonics(torch.nn.functional.normalize(normal(edges, 3)), lmax)
    features = normal(nodes, (lmax + 1) ** 2, channels)
    weights = normal(edges, len(path_table(lmax, lmax)) * channels)
    tensors = (features, harmonics, weights, ends[0], target)
    features, harmonics, weights, source, target = (tensor.to(device) for tensor in tensors)
    return features, harmonics, weights, source, target, nodes
