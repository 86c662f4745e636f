"""Interface graphs in the order in which they are evaluated: blocks of edges.

Most features of an atom are zero, and the first layer is linear in them. So edges are gathered
into blocks, one for each node, bucket of its neighbour and kind of edge, and blocks are sorted by
(ending, bucket of the node, bucket of the neighbour, kind, node): the blocks of one pair of
buckets lie together and meet one slice of the first layer's weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor

from intertwiner_atomic_conv.graphs.interface import CROSS, InterfaceGraph
from intertwiner_atomic_conv.kernels import Slice
from intertwiner_atomic_conv.layers.atom_types import AtomTypes

__all__ = ["BlockedGraph", "Interface", "as_blocks", "join_blocks"]

Numbers = NDArray[np.int64]
KINDS = 3


@dataclass(frozen=True, slots=True)
class BlockedGraph:
    """One complex: nodes with their buckets, and edges sorted into blocks.

    atom, kind_of_atom [nodes]; block_node, block_bucket, block_kind, block_size [blocks];
    neighbor [edges] an atom; distance [edges] angstrom.
    """

    atom: Numbers
    bucket: Numbers
    block_node: Numbers
    block_bucket: Numbers
    block_kind: Numbers
    block_size: Numbers
    neighbor: Numbers
    distance: NDArray[np.float64]

    @property
    def bytes(self) -> int:
        """What it occupies in memory."""
        return sum(getattr(self, name).nbytes for name in self.__slots__)


def as_blocks(graph: InterfaceGraph, z: Numbers, types: AtomTypes) -> BlockedGraph:
    """The graph's nodes and edges that have a bucket, edges sorted into blocks.

    z [n]: atomic numbers of the complex. Raises `InvalidInput` for one that is no element.
    """
    bucket = types(z)
    has_bucket = bucket[graph.atom] >= 0
    atom = graph.atom[has_bucket]
    number = np.cumsum(has_bucket) - 1
    used = has_bucket[graph.node] & (bucket[graph.neighbor] >= 0)
    node = number[graph.node[used]]
    key = (bucket[graph.neighbor[used]] * KINDS + graph.kind[used]) * max(len(atom), 1) + node
    order = np.lexsort((graph.neighbor[used], graph.square[used], key))
    blocks, size = np.unique(key[order], return_counts=True)
    kind_of_block = blocks // max(len(atom), 1)
    return BlockedGraph(
        atom,
        bucket[atom],
        blocks % max(len(atom), 1),
        kind_of_block // KINDS,
        kind_of_block % KINDS,
        size.astype(np.int64),
        graph.neighbor[used][order],
        np.sqrt(graph.square[used][order]),
    )


@dataclass(frozen=True, slots=True)
class Interface:
    """The changed atoms of a batch, sorted by bucket, and blocks in order of evaluation.

    atom, complex [nodes]: atom of the batch, record of the batch. nodes: slices by bucket.
    center, neighbor [edges]: atoms of the batch; distance [edges] angstrom.
    pointer [blocks + 1]: first edge of each block. row [blocks]: kind * nodes + node.
    pairs: slices of blocks by bucket of node * buckets + bucket of neighbour.
    ends: blocks before it have edges that end at the own reach, those after at the other's.
    """

    atom: Int[Tensor, " nodes"]
    complex: Int[Tensor, " nodes"]
    nodes: tuple[Slice, ...]
    center: Int[Tensor, " edges"]
    neighbor: Int[Tensor, " edges"]
    distance: Float[Tensor, " edges"]
    pointer: Int[Tensor, " blocks+1"]
    row: Int[Tensor, " blocks"]
    bucket: Int[Tensor, " blocks"]
    pairs: tuple[Slice, ...]
    ends: int
    complexes: int


def join_blocks(
    graphs: Sequence[BlockedGraph],
    sizes: Sequence[int],
    buckets: int,
    *,
    one_network: bool = False,
    two_reaches: bool = False,
) -> Interface:
    """One batch of complexes with `sizes` atoms each. Tensors on the CPU, distances in float64.

    two_reaches: edges within a part end elsewhere than those across, and so are kept apart.
    """
    node_count = [len(graph.atom) for graph in graphs]
    nodes = sum(node_count)
    centre_bucket = _cat([graph.bucket for graph in graphs])
    network = np.zeros_like(centre_bucket) if one_network else centre_bucket
    order = np.argsort(network, kind="stable")
    rank = np.empty(nodes, dtype=np.int64)
    rank[order] = np.arange(nodes)

    first_node = np.cumsum([0, *node_count[:-1]])
    first_atom = np.cumsum([0, *list(sizes)[:-1]])
    node = rank[_shifted([graph.block_node for graph in graphs], first_node)]
    kind = _cat([graph.block_kind for graph in graphs])
    neighbor_bucket = _cat([graph.block_bucket for graph in graphs])
    size = _cat([graph.block_size for graph in graphs])
    pair = network[order][node] * buckets + neighbor_bucket
    across = (kind == CROSS) & two_reaches
    networks = 1 if one_network else buckets
    key = ((across * networks * buckets + pair) * KINDS + kind) * max(nodes, 1) + node
    sequence = np.argsort(key, kind="stable")
    begin = np.cumsum(size) - size
    pointer = np.concatenate([[0], np.cumsum(size[sequence])])
    edge = np.repeat(begin[sequence] - pointer[:-1], size[sequence]) + np.arange(pointer[-1])
    atom = _shifted([graph.atom for graph in graphs], first_atom)[order]
    center = np.repeat(atom[node[sequence]], size[sequence])
    return Interface(
        atom=_tensor(atom),
        complex=_tensor(np.repeat(np.arange(len(graphs)), node_count)[order]),
        nodes=_slices(network[order]),
        center=_tensor(center),
        neighbor=_tensor(_shifted([graph.neighbor for graph in graphs], first_atom)[edge]),
        distance=torch.from_numpy(_cat([graph.distance for graph in graphs], np.float64)[edge]),
        pointer=_tensor(pointer),
        row=_tensor((kind * nodes + node)[sequence]),
        bucket=_tensor(neighbor_bucket[sequence]),
        pairs=_slices(pair[sequence], across[sequence]),
        ends=int(len(across) - across.sum()),
        complexes=len(graphs),
    )


def _cat(parts: Sequence[NDArray], dtype: type = np.int64) -> NDArray:  # type: ignore[type-arg]
    return np.concatenate(parts) if parts else np.zeros(0, dtype=dtype)


def _shifted(parts: Sequence[Numbers], first: Numbers) -> Numbers:
    return _cat([part + start for part, start in zip(parts, first, strict=False)])


def _tensor(values: Numbers) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.int64))


def _slices(labels: Numbers, apart: NDArray[np.bool_] | None = None) -> tuple[Slice, ...]:
    """Runs of equal labels; a run also ends where `apart` changes."""
    if not len(labels):
        return ()
    turns = labels[1:] != labels[:-1]
    if apart is not None:
        turns = turns | (apart[1:] != apart[:-1])
    bounds = [0, *(np.flatnonzero(turns) + 1).tolist(), len(labels)]
    return tuple((int(labels[a]), a, b) for a, b in pairwise(bounds))
