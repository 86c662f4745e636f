"""Neighbour lists are kept between steps: a record's lists depend on its content alone.

The key is a digest of positions, elements and parts, so nothing needs to be told when a record
changes, and results never depend on what is in the cache.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intertwiner_atomic_conv.graphs.blocks import BlockedGraph
from intertwiner_atomic_conv.graphs.interface import Numbers, Points

__all__ = ["GraphCache"]

CAPACITY = 512 * 2**20
"""2,000 records of 48 nearest atoms each, 10,000 of the smooth cross graph."""
Build = Callable[[Points, Numbers, Numbers], BlockedGraph]


class GraphCache:
    """Graphs built by `build(x, z, part)`; above `capacity` bytes the oldest are dropped."""

    def __init__(self, build: Build, capacity: int = CAPACITY) -> None:
        self.build, self.capacity = build, capacity
        self._graphs: OrderedDict[bytes, BlockedGraph] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._graphs)

    def get(self, x: NDArray[Any], z: Numbers, part: Numbers) -> BlockedGraph:
        """The graph of a complex: x [n, 3] angstrom, of any precision, z [n], part [n]."""
        key = hashlib.blake2b(x.tobytes(), digest_size=16)
        key.update(z.tobytes())
        key.update(part.tobytes())
        name = key.digest()
        if name in self._graphs:
            self._graphs.move_to_end(name)
            return self._graphs[name]
        graph = self.build(x.astype(np.float64), z, part)
        self._graphs[name] = graph
        self._bytes += graph.bytes
        while self._bytes > self.capacity and len(self._graphs) > 1:
            self._bytes -= self._graphs.popitem(last=False)[1].bytes
        return graph
