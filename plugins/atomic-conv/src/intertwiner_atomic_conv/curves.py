"""The interaction a network has learned, as a function of the distance of two atoms.

Two readings: the energy of two atoms alone in the world, and, for every pair across an interface,
the energy of the complex less that of the complex with this one pair deleted from the features of
both atoms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch_geometric.data import Batch, Data

from intertwiner.data.collate import collate
from intertwiner_atomic_conv.graphs.blocks import Interface
from intertwiner_atomic_conv.graphs.interface import COMMON, CROSS
from intertwiner_atomic_conv.kernels import Slice, grouped_linear
from intertwiner_atomic_conv.kernels.reference import block_of_edges
from intertwiner_atomic_conv.model import AtomicConvNetwork

__all__ = ["PairValues", "isolated_curve", "pair_values", "values_of"]


@dataclass(frozen=True, slots=True)
class PairValues:
    """Pairs across interfaces: ligand, protein [pairs] atomic numbers, distance [pairs] angstrom,
    value [pairs] in the unit of the network's output."""

    ligand: Int[Tensor, " pairs"]
    protein: Int[Tensor, " pairs"]
    distance: Float[Tensor, " pairs"]
    value: Float[Tensor, " pairs"]


@torch.no_grad()
def isolated_curve(
    network: AtomicConvNetwork, ligand: int, protein: int, distance: Float[Tensor, " points"]
) -> Float[Tensor, " points"]:
    """The interaction of an atom of the ligand and one of the protein, and no others.

    ligand, protein: atomic numbers. distance in angstrom.
    """
    dtype = network.convolution.scale.dtype
    records = [
        Data(
            pos=torch.tensor([[0.0, 0.0, 0.0], [0.0, 0.0, float(r)]], dtype=dtype),
            z=torch.tensor([ligand, protein]),
            part=torch.tensor([1, 0]),
            name=f"pair at {float(r):.2f}",
        )
        for r in distance
    ]
    return network.interaction(collate(records)).squeeze(1)


@torch.no_grad()
def pair_values(network: AtomicConvNetwork, batch: Batch) -> PairValues:
    """What each pair across the interfaces of a batch is worth where it is.

    Of each of the two atoms the energy with all its edges less that without this one.
    """
    convolution = network.convolution
    interface = network.interface(batch)
    pooled = convolution.pooled(interface)
    hidden = convolution.first_layer(interface, pooled)
    bound = hidden[COMMON] + hidden[CROSS]
    block = block_of_edges(interface.pointer, len(interface.distance))
    nodes = len(interface.atom)
    edges = torch.nonzero(interface.row[block] // nodes == CROSS).squeeze(1)
    node = interface.row[block][edges] % nodes
    own = _edge_inputs(network, interface)[edges]
    order = torch.argsort(node, stable=True)  # nodes are sorted by network
    edges, node, own = edges[order], node[order], own[order]
    with_all = convolution.networks.rest(bound, interface.nodes)[node]
    without = convolution.networks.rest(bound[node] - own, _edge_slices(interface, node))
    value = (with_all - without).squeeze(1)
    return _both_ways(batch, interface, edges, value)


def _edge_inputs(network: AtomicConvNetwork, interface: Interface) -> Float[Tensor, "edges width"]:
    """What each edge alone adds to the first layer of its centre."""
    convolution = network.convolution
    alone = torch.arange(len(interface.distance) + 1)
    single = Interface(
        **{
            **{name: getattr(interface, name) for name in interface.__slots__},
            "pointer": alone,
            "ends": int(interface.pointer[interface.ends]),
        }
    )
    filters = convolution.pooled(single)
    first = interface.pointer.tolist()
    slices = [(number, first[a], first[b]) for number, (_, a, b) in enumerate(interface.pairs)]
    return grouped_linear(filters, convolution.weights(interface, filters.device), slices)


def _edge_slices(interface: Interface, node: Tensor) -> list[Slice]:
    """Slices of edges, sorted by node, by the network of their node."""
    bounds = torch.tensor([[first, stop] for _, first, stop in interface.nodes]).view(-1, 2)
    edges = torch.searchsorted(node, bounds).tolist()
    return [
        (group, first, stop)
        for (group, _, _), (first, stop) in zip(interface.nodes, edges, strict=True)
        if stop > first
    ]


def _both_ways(batch: Batch, interface: Interface, edges: Tensor, value: Tensor) -> PairValues:
    """The two directions of each pair added up; a direction that is not there counts as 0."""
    center, neighbor = interface.center[edges], interface.neighbor[edges]
    of_ligand = batch.part[center] == 1
    ligand = torch.where(of_ligand, center, neighbor)
    protein = torch.where(of_ligand, neighbor, center)
    key, pair = torch.unique(ligand * len(batch.z) + protein, return_inverse=True)
    total = value.new_zeros(len(key)).index_add(0, pair, value)
    distance = interface.distance.new_zeros(len(key))
    distance[pair] = interface.distance[edges]
    ligand, protein = key // len(batch.z), key % len(batch.z)
    return PairValues(batch.z[ligand], batch.z[protein], distance, total)


def values_of(network: AtomicConvNetwork, records: Sequence[Data], size: int = 16) -> PairValues:
    """`pair_values` of many records."""
    found = [
        pair_values(network, collate(list(records[first : first + size])))
        for first in range(0, len(records), size)
    ]
    columns = (torch.cat([getattr(part, name) for part in found]) for name in PairValues.__slots__)
    return PairValues(*columns)
