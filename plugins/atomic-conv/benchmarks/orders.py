"""Other orders of evaluating the same network, to compare with: all in dense features.

`legacy`: every atom of the complex and of its parts, features as one masked sum for every bucket,
the network of every bucket on every atom. `dense`: changed atoms alone, full feature rows, plain
autograd. Both give the energy of `AtomicConvolution` with the same parameters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch_geometric.data import Data

from intertwiner_atomic_conv.graphs.interface import COMMON, CROSS, DISPLACED, interface_graph
from intertwiner_atomic_conv.graphs.nearest import nearest
from intertwiner_atomic_conv.layers.radial import evaluate_filters
from intertwiner_atomic_conv.model import AtomicConvNetwork

__all__ = ["Lists", "dense_lists", "energies", "legacy_lists"]


@dataclass(frozen=True, slots=True)
class Lists:
    """Rows of neighbours: distance and bucket [rows, M] (bucket -1 pads), own bucket [rows], the
    complex of a row [rows] and the sign [rows] with which it counts."""

    distance: Tensor
    neighbor: Tensor
    bucket: Tensor
    complex: Tensor
    sign: Tensor
    complexes: int


def legacy_lists(model: AtomicConvNetwork, records: Sequence[Data]) -> Lists:
    """All atoms of every complex, and of every part by itself."""
    rows = []
    for number, record in enumerate(records):
        x, z, part = _arrays(record)
        bucket = model.types(z)
        systems = [(1.0, np.arange(len(z))), *((-1.0, np.flatnonzero(part == p)) for p in (0, 1))]
        for sign, atoms in systems:
            found = nearest(x, z, atoms, atoms, model.reach.neighbors, model.reach.across)
            rows.append(_rows(found.atom, found.square, bucket, atoms, number, sign))
    return _lists(rows, len(records))


def dense_lists(model: AtomicConvNetwork, records: Sequence[Data]) -> Lists:
    """Changed atoms alone, twice: bound and free."""
    rows = []
    for number, record in enumerate(records):
        x, z, part = _arrays(record)
        bucket = model.types(z)
        graph = interface_graph(x, z, part, model.reach)
        for sign, kinds in ((1.0, (COMMON, CROSS)), (-1.0, (COMMON, DISPLACED))):
            chosen = np.isin(graph.kind, kinds)
            shape = len(graph.atom), model.reach.neighbors
            atom, square = np.full(shape, -1), np.full(shape, np.inf)
            node = graph.node[chosen]
            place = np.arange(len(node)) - np.searchsorted(np.sort(node), node[np.argsort(node)])
            order = np.argsort(node, kind="stable")
            atom[node[order], place] = graph.neighbor[chosen][order]
            square[node[order], place] = graph.square[chosen][order]
            rows.append(_rows(atom, square, bucket, graph.atom, number, sign))
    return _lists(rows, len(records))


def energies(model: AtomicConvNetwork, lists: Lists, *, legacy: bool) -> Tensor:
    """dG of every complex."""
    convolution = model.convolution
    filters = evaluate_filters(lists.distance, *convolution.filters.values())
    features = _masked_sums(filters, lists.neighbor, convolution.buckets) * convolution.scale
    networks = convolution.networks
    energy = features.new_zeros(len(features), networks.outputs)
    for bucket in range(convolution.buckets):
        if legacy:
            mine = _network(networks, features, bucket)
            energy = energy + mine * (lists.bucket == bucket).unsqueeze(1)
            continue
        rows = torch.nonzero(lists.bucket == bucket).squeeze(1)
        if len(rows):
            energy = energy.index_add(0, rows, _network(networks, features[rows], bucket))
    total = energy.new_zeros(lists.complexes, networks.outputs)
    return total.index_add(0, lists.complex, energy * lists.sign.unsqueeze(1))


def _masked_sums(filters: Tensor, neighbor: Tensor, buckets: int) -> Tensor:
    """One masked sum over neighbours for every bucket."""
    columns = [(filters * (neighbor == bucket).unsqueeze(2)).sum(1) for bucket in range(buckets)]
    return torch.cat(columns, 1)


def _network(networks, features: Tensor, bucket: int) -> Tensor:
    x = features
    for layer, (weight, bias) in enumerate(zip(networks.weights, networks.biases, strict=True)):
        x = torch.addmm(bias[bucket], x, weight[bucket])
        if layer < len(networks.dropout):
            x = torch.nn.functional.dropout(torch.relu(x), networks.dropout[layer], True)
    return x


def _arrays(record: Data):
    return record.pos.double().numpy(), record.z.numpy(), record.part.numpy()


def _rows(atom, square, bucket, atoms, number: int, sign: float):
    neighbor = np.where(atom >= 0, bucket[atom], -1)
    distance = np.where(atom >= 0, np.sqrt(np.where(atom >= 0, square, 0.0)), 1e3)
    count = len(atoms)
    return distance, neighbor, bucket[atoms], np.full(count, number), np.full(count, sign)


def _lists(rows, complexes: int) -> Lists:
    distance, neighbor, bucket, number, sign = (
        torch.from_numpy(np.concatenate(column)) for column in zip(*rows, strict=True)
    )
    return Lists(distance.float(), neighbor, bucket, number, sign.float(), complexes)
