"""What depends on the edges alone: rows of edges by target, and the same by source.

Both are made by a counting sort in one pass, and kept as long as the tensors of the graph live.
"""

from __future__ import annotations

import weakref
from collections import OrderedDict
from dataclasses import dataclass, field

import torch
from jaxtyping import Int
from torch import Tensor

from intertwiner.compiled import Library, call
from intertwiner_equivariant_conv.errors import InvalidInput

__all__ = ["UNIT", "Graph", "graph_of"]

KEPT = 16
"""Graphs that are remembered; their tensors are not kept alive."""

UNIT = """
#include <cstdint>
// rowptr[n]: edges before those of node n; order: edges by node, in order (null: they are sorted).
// state: 0 where all is right, 1 where a node is out of range, 2 where edges are not sorted.
extern "C" void group(const int64_t* end, int64_t edges, int64_t nodes, int64_t* rowptr,
    int64_t* order, int64_t* state) {
  for (int64_t n = 0; n <= nodes; n++) rowptr[n] = 0;
  *state = 0;
  for (int64_t e = 0; e < edges; e++) {
    if (end[e] < 0 || end[e] >= nodes) { *state = 1; return; }
    if (!order && e && end[e] < end[e - 1]) { *state = 2; return; }
    rowptr[end[e] + 1]++;
  }
  for (int64_t n = 0; n < nodes; n++) rowptr[n + 1] += rowptr[n];
  if (!order) return;
  for (int64_t e = 0; e < edges; e++) order[rowptr[end[e]]++] = e;
  for (int64_t n = nodes; n > 0; n--) rowptr[n] = rowptr[n - 1];
  rowptr[0] = 0;
}
"""

Grouped = tuple[Int[Tensor, " nodes+1"], Int[Tensor, " edges"]]


@dataclass(slots=True)
class Graph:
    """The edges of one call, sorted by target, and their groupings, made when first asked for."""

    loaded: Library
    source: Int[Tensor, " edges"]
    target: Int[Tensor, " edges"]
    sources: int
    nodes: int
    _rowptr: Tensor | None = field(default=None)
    _by_source: Grouped | None = field(default=None)
    _border: int | None = field(default=None)

    @property
    def rowptr(self) -> Int[Tensor, " nodes+1"]:
        """Edges rowptr[n] to rowptr[n + 1] end at node n."""
        if self._rowptr is None:
            self._rowptr = torch.empty(self.nodes + 1, dtype=torch.int64)
            self._group(self.target, self.nodes, self._rowptr, None)
        return self._rowptr

    @property
    def by_source(self) -> Grouped:
        """(rowptr, order): edges order[rowptr[n]] to order[rowptr[n + 1]] start at node n."""
        if self._by_source is None:
            rowptr = torch.empty(self.sources + 1, dtype=torch.int64)
            order = torch.empty_like(self.source, memory_format=torch.contiguous_format)
            self._group(self.source, self.sources, rowptr, order)
            self._by_source = rowptr, order
        return self._by_source

    @property
    def border(self) -> int:
        """The first edge of the second half, see `text.HALVES`."""
        if self._border is None:
            found = torch.zeros(1, dtype=torch.int64)
            call(self.loaded, "border", self.rowptr, self.nodes, found)
            self._border = int(found)
        return self._border

    def _group(self, end: Tensor, nodes: int, rowptr: Tensor, order: Tensor | None) -> None:
        state = torch.zeros(1, dtype=torch.int64)
        call(self.loaded, "group", end, len(end), nodes, rowptr, order, state)
        if int(state):
            seen = "is outside the nodes" if int(state) == 1 else "comes before a smaller one"
            raise InvalidInput(f"the end of an edge {seen}: check them with `check_edges`")


Key = tuple[int, ...]
_kept: OrderedDict[Key, tuple[Graph, list[weakref.ref[Tensor]]]] = OrderedDict()


def graph_of(library: Library, source: Tensor, target: Tensor, sources: int, nodes: int) -> Graph:
    """The graph of these edges: that of an earlier call with the same tensors, unchanged since.

    Raises `InvalidInput` for edges outside the nodes, or not sorted by target.
    """
    if source.is_inference() or target.is_inference():  # they do not count their changes
        return _make(library, source, target, sources, nodes)
    key = (*_mark(source), *_mark(target), sources, nodes)
    if key in _kept:
        _kept.move_to_end(key)
        return _kept[key][0]
    graph = _make(library, source, target, sources, nodes)
    owners = [_owner(tensor) for tensor in (source, target)]
    _kept[key] = graph, [weakref.ref(owner, lambda _: _kept.pop(key, None)) for owner in owners]
    if len(_kept) > KEPT:
        _kept.popitem(last=False)
    return graph


def _make(library: Library, source: Tensor, target: Tensor, sources: int, nodes: int) -> Graph:
    if len(source):
        lowest, highest = (int(value) for value in torch.aminmax(source))
        if lowest < 0 or highest >= sources:
            raise InvalidInput(f"source {min(lowest, highest)} is outside the {sources} nodes")
    ends = (source.detach().contiguous(), target.detach().contiguous())
    graph = Graph(library, *ends, sources, nodes)
    _ = graph.rowptr
    return graph


def _owner(tensor: Tensor) -> Tensor:
    """The tensor whose memory it is: a row of an `edge_index` dies before that does."""
    return tensor if tensor._base is None else tensor._base


def _mark(tensor: Tensor) -> Key:
    """Equal for equal memory, unchanged, as long as the owner lives."""
    owner = id(_owner(tensor))
    return owner, tensor.data_ptr(), len(tensor), tensor.stride(0), tensor._version
